import { BusError } from "./errors.ts";

/** What a driver, on its server's version, does natively, emulates, or refuses, each with a reason. */
export interface Support {
  readonly [feature: string]: { readonly how: "native" | "emulated" | "refused"; readonly note: string };
}

/** Every driver answers for each of these; the README's driver table is made from the answers. */
export const features: readonly string[] = [
  "durability",
  "topics",
  "topics.groups",
  "topics.loss-accounting",
  "log",
  "log.durables",
  "log.dedupe",
  "log.expectLast",
  "log.retention",
  "mailbox",
  "mailbox.fencing",
  "mailbox.delay",
  "mailbox.ttl",
  "mailbox.dedupe",
  "mailbox.keys",
  "mailbox.capacity",
  "mailbox.deadLetters",
  "space",
  "space.leases",
  "space.claim",
  "space.capacity",
  "space.transaction",
  "space.watch",
  "space.collect",
  "space.inAll",
  "space.explain",
  "calls",
  "calls.streams",
  "calls.cancellation",
  "calls.directory",
  "blobs",
  "auth",
  "tls",
];

/** Throws "unsupported", with the driver's reason, for a feature that it refuses. */
export function assertSupported(driver: { readonly name: string; readonly support: Support }, feature: string): void {
  const entry = driver.support[feature];
  if (entry?.how === "refused") throw new BusError("unsupported", `${feature}: ${entry.note}`, { driver: driver.name });
}
