import type { Bus } from "@quadrant/contract";
import { failed } from "./failure.ts";

/** Fails unless there is one of that name: opening it to look at it would make it. */
export async function assertExists(bus: Bus, kind: "mailbox" | "log" | "space" | "blobs", name: string): Promise<void> {
  const names = await bus.list(kind);
  if (names.includes(name)) return;
  const what = kind === "blobs" ? "blob store" : kind;
  const shown = names.slice(0, 10).join(", ");
  const there = names.length === 0 ? `there is no ${what} yet` : `there are ${shown}${names.length > 10 ? ", …" : ""}`;
  throw failed(`no ${what} is called ${name}; ${there}`);
}
