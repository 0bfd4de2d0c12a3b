/** Holds something and says how much memory that takes. Run with --expose-gc. */
import { setImmediate as turn } from "node:timers/promises";
import { type Bus, type BusError, connect } from "@quadrant/bus";
import { payloadMaker } from "../payload.ts";
import { open } from "../ways/bus-flow.ts";
import { play } from "./role.ts";

export interface Holding {
  readonly what: "strings" | "letters" | "tuples";
  readonly count: number;
  readonly bytes: number;
}

export interface Flood {
  readonly publishes: number;
  readonly bytes: number;
}

export interface Flooded {
  readonly addedBytes: number;
  readonly residentBytes: number;
  readonly accepted: number;
  readonly overflowed: number;
  readonly otherwise: number;
}

/** What is held in memory must stay reachable until it has been measured. */
const held: unknown[] = [];

/** Of the heap and of buffers outside of it, after garbage was collected twice: what finalizers free goes in the second. */
async function livingBytes(): Promise<number> {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error("start this role with --expose-gc");
  for (let each = 0; each < 2; each++) {
    collect();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const batch = 1_000;

async function hold({ what, count, bytes }: Holding): Promise<() => Promise<void>> {
  const make = payloadMaker(bytes);
  if (what === "strings") {
    const strings: string[] = [];
    held.push(strings);
    return async () => {
      for (let index = 0; index < count; index++) strings.push(JSON.stringify(make(index)));
    };
  }
  const bus: Bus = await open("memory:");
  const payloads = (from: number): readonly object[] =>
    Array.from({ length: Math.min(batch, count - from) }, (_, index) => make(from + index));
  const box = await bus.mailbox("bench");
  const space = await bus.space("bench");
  held.push(bus, box, space);
  return async () => {
    for (let from = 0; from < count; from += batch) {
      if (what === "letters") await box.sendMany(payloads(from));
      // A task as programs put it: a kind, a key, and what there is to do.
      else await space.outMany(payloads(from).map((each, index) => ["task", from + index, { ...each }] as never));
    }
  };
}

let bus: Bus | undefined;

play<{ hold: Holding; connect: { url: string }; flood: Flood }>({
  /** Resolves with the bytes that one of those held takes. */
  hold: async (holding) => {
    const fill = await hold(holding);
    const before = await livingBytes();
    await fill();
    return ((await livingBytes()) - before) / holding.count;
  },
  connect: async ({ url }) => {
    bus = await connect(url, { requestTimeoutMs: 2_000 });
    await bus.publish("bench.flood", {});
    await bus.flush();
  },
  /** Publishes without awaiting; resolves once every publish has ended. */
  flood: async ({ publishes, bytes }) => {
    const make = payloadMaker(bytes);
    const ends = { accepted: 0, overflowed: 0, otherwise: 0 };
    const before = await livingBytes();
    const residentBefore = process.memoryUsage().rss;
    const all = Promise.withResolvers<void>();
    const end = (how: keyof typeof ends): void => {
      ends[how]++;
      if (ends.accepted + ends.overflowed + ends.otherwise === publishes) all.resolve();
    };
    // One pair for all, and no promise kept: what is measured is the bus'.
    const accepted = (): void => end("accepted");
    const refused = ({ code }: BusError): void => end(code === "overflow" ? "overflowed" : "otherwise");
    let most = 0;
    for (let index = 0; index < publishes; index++) {
      void bus!.publish("bench.flood", make(index)).then(accepted, refused);
      if (index % batch !== 0) continue;
      await turn();
      if (index % (10 * batch) === 0) most = Math.max(most, await livingBytes());
    }
    await all.promise;
    most = Math.max(most, await livingBytes());
    return { ...ends, addedBytes: most - before, residentBytes: process.memoryUsage().rss - residentBefore };
  },
});
