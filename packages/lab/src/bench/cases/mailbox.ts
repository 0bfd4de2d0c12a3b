import type { Bar, Case, Group, Variant } from "../case.ts";
import { payloadBytes } from "../payload.ts";
import { measureEmbedded, measureFlow, windowOf } from "./flow.ts";
import { measureSqlite } from "./sqlite.ts";

function value(atLeast: number): readonly Bar[] {
  return [{ of: "value", atLeast }];
}

const memory = (): string => "memory:";
const file = (folder: string): string => `file:${folder}?sync=full`;

function embedded(
  urlOf: ((folder: string) => string) | undefined,
  bytes: number,
  inFlight: number,
): Variant["measure"] {
  const window = inFlight === 1 ? 1 : windowOf(bytes);
  return (scale) => measureEmbedded({ urlOf, bytes, inFlight, window }, scale);
}

function overHub(broker: "hub" | "durable hub", bytes: number, inFlight: number): Variant["measure"] {
  return (scale) => measureFlow({ produce: "send", consume: "receive", bytes, inFlight, broker }, scale);
}

function inMemory(bytes: number, judged: boolean): Group {
  return {
    name: `mailbox, in memory, ${bytes} B: send → receive → acknowledge`,
    unit: "letters/s",
    better: "more",
    variants: [
      { name: "floor: JSON, three promises, an array", measure: embedded(undefined, bytes, 64) },
      { name: "memory:, 64 senders", bars: judged ? value(400_000) : [], measure: embedded(memory, bytes, 64) },
      { name: "memory:, one at a time", measure: embedded(memory, bytes, 1) },
      { name: "over the hub, 64 senders", measure: overHub("hub", bytes, 64) },
    ],
  };
}

function durable(bytes: number, judged: boolean): Group {
  return {
    name: `mailbox, durable (sync=full), ${bytes} B: many at a time`,
    unit: "letters/s",
    better: "more",
    variants: [
      {
        name: "node:sqlite alone, FULL: append, read, delete, 100 a commit",
        measure: (scale) => measureSqlite({ bytes, perCommit: 100 }, scale),
      },
      { name: "file:, 1024 senders", bars: judged ? value(60_000) : [], measure: embedded(file, bytes, 1_024) },
      { name: "file:, 64 senders", measure: embedded(file, bytes, 64) },
      {
        name: "over a durable hub, 1024 senders",
        bars: judged ? value(30_000) : [],
        measure: overHub("durable hub", bytes, 1_024),
      },
    ],
  };
}

const durableOneByOne: Group = {
  name: `mailbox, durable (sync=full), ${payloadBytes.small} B: one at a time`,
  unit: "letters/s",
  better: "more",
  variants: [
    {
      name: "node:sqlite alone, FULL: append, read, delete, each committed",
      measure: (scale) => measureSqlite({ bytes: payloadBytes.small, perCommit: 1 }, scale),
    },
    { name: "file:", bars: value(2_000), measure: embedded(file, payloadBytes.small, 1) },
  ],
};

export const mailbox: Case = {
  name: "mailbox",
  question: "How many letters a second are sent, received and acknowledged?",
  groups: () => [
    inMemory(payloadBytes.small, true),
    inMemory(payloadBytes.large, false),
    durable(payloadBytes.small, true),
    durable(payloadBytes.large, false),
    durableOneByOne,
  ],
};
