/** Gets messages in one of three ways: pushed ahead, asked for one by one, or looked for again and again. */
import { setTimeout as pause } from "node:timers/promises";
import { defineRole, nowMs, type Role } from "../../site/role.ts";
import type { Item } from "../coupling.ts";
import type { Taken } from "./receiver.ts";

export interface IntakeInput {
  readonly name: string;
  readonly way: "push" | "pull" | "poll";
  /** Between two looks, of who polls. */
  readonly everyMs: number;
}

const role: Role<IntakeInput> = defineRole(async (bus, { name, way, everyMs }) => {
  const taken: Taken[] = [];
  let asked = 0;
  const note = ({ n, by, sentMs }: Item): void => void taken.push({ n, by, sentMs, atMs: nowMs() });
  const ending = new AbortController();
  if (way === "poll") {
    const space = await bus.space(name);
    void (async () => {
      while (!ending.signal.aborted) {
        asked++;
        const tuple = await space.inp([name, Number, String, Number, String]);
        if (tuple === undefined) await pause(everyMs);
        else note({ n: tuple[1], by: tuple[2], sentMs: tuple[3] });
      }
    })().catch(() => undefined);
  } else {
    const box = await bus.mailbox<Item>(name);
    const letters = await box.receive(way === "push" ? { maxInFlight: 64 } : { maxInFlight: 1, autoExtend: false });
    void (async () => {
      for await (const letter of letters) {
        asked++;
        note(letter.data);
        void letter.ack().catch(() => undefined);
      }
    })().catch(() => undefined);
  }
  return {
    taken: () => taken,
    asked: () => asked,
    reach: async ({ count, withinMs }: { count: number; withinMs: number }): Promise<number> => {
      for (const end = nowMs() + withinMs; taken.length < count && nowMs() < end; ) await pause(2);
      return taken.length;
    },
    leave: () => ending.abort(),
  };
});
export default role;
