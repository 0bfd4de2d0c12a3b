import { openSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { any, type Bus, BusError, connect, type Delivery } from "@quadrant/bus";
import { isBad, type Kind, type Note, noteLine, readNotes, textOf } from "./durability-record.ts";

/**
 * Puts numbers and gets them back, until so many are acknowledged and all of them are gone, or it is killed; goes on where
 * an earlier one was killed. It notes down what it knows once it knows it, and before it does what follows.
 */
const [url, kind, file, ...numbers] = process.argv.slice(2) as [string, Kind, string, ...string[]];
const [wanted, ahead, logBytes] = numbers.map(Number) as [number, number, number];
process.once("disconnect", () => process.exit(0));

interface Body {
  readonly n: number;
  readonly text: string;
}

/** How the numbers are put, got and counted. */
interface Stage {
  /** The sequence of an entry, else 0. */
  put(n: number): Promise<number>;
  /** Calls `got` for what comes, and `settle` gives back the promise of its settlement. */
  consume(got: (body: Body, settle: () => Promise<void>) => Promise<void>): void;
  empty(): Promise<boolean>;
}

const record = openSync(file, "a");
const counts = { put: 0, settled: 0, refused: 0 };
let reconnected = 0;
const got = new Set<number>();
const put = new Set<number>();
let next = 0;

function count([what, n]: Note): void {
  if (what === "began") next = Math.max(next, n);
  else if (what === "put") put.add(n);
  else if (what === "got") got.add(n);
  if (what in counts) counts[what as keyof typeof counts]++;
}

function note(said: Note): void {
  writeSync(record, noteLine(said));
  count(said);
  if ((counts.settled + counts.refused) % 100 === 0) report();
}

function report(done?: boolean): void {
  process.send?.({ ...counts, reconnected, done });
}

for (const each of readNotes(file)) count(each);

async function received({ n, text }: Body, settle: () => Promise<void>): Promise<void> {
  note([text === textOf(n) ? "got" : "altered", n]);
  try {
    await settle();
    note(["settled", n]);
  } catch {
    note(["doubted", n]);
  }
}

async function letters(bus: Bus): Promise<Stage> {
  const box = await bus.mailbox<Body>("campaign", { leaseMs: 2_000, maxAttempts: 1_000 });
  return {
    put: async (n) => {
      await box.send({ n, text: textOf(n) });
      return 0;
    },
    consume: (taken) => {
      const settle = (letter: Delivery<Body>): Promise<void> => (isBad(letter.data.n) ? letter.reject() : letter.ack());
      void box.process((letter) => taken(letter.data, () => settle(letter)), { concurrency: 128 });
    },
    empty: async () => {
      const { waiting, held, delayed } = await box.info();
      return waiting + held + delayed === 0;
    },
  };
}

async function entries(bus: Bus): Promise<Stage> {
  const log = await bus.log<Body>("campaign", { maxBytes: logBytes });
  // Two minutes of ids are more than a small disk holds.
  const idOf = (n: number): string | undefined => (logBytes > 16 * 1024 * 1024 ? `id-${n}` : undefined);
  return {
    put: async (n) => (await log.append(`s.${n % 7}`, { n, text: textOf(n) }, { id: idOf(n) })).seq,
    consume: (taken) => {
      const spec = {
        durable: "campaign",
        from: "first",
        leaseMs: 2_000,
        maxAttempts: 1_000,
        maxInFlight: 128,
      } as const;
      void log.subscribe(spec).then(async (subscription) => {
        for await (const entry of subscription) void taken(entry.data, () => entry.ack());
      });
    },
    empty: async () => [...put].every((n) => got.has(n)),
  };
}

async function tuples(bus: Bus): Promise<Stage> {
  const space = await bus.space("campaign");
  const template = ["t", Number, String] as const;
  const loop = async (taken: Parameters<Stage["consume"]>[0], claims: boolean): Promise<void> => {
    for (;;) {
      try {
        if (claims) {
          const claim = await space.claim(template, { leaseMs: 2_000 });
          await taken({ n: claim.tuple[1], text: claim.tuple[2] }, () => claim.ack());
        } else {
          const tuple = await space.in(template);
          await taken({ n: tuple[1], text: tuple[2] }, async () => undefined);
        }
      } catch (error) {
        if (error instanceof BusError && error.code === "closed") return;
        await pause(10);
      }
    }
  };
  return {
    put: async (n) => {
      await space.out(["t", n, textOf(n)]);
      return 0;
    },
    // The latter sixteen are the takes that a killed actor may not have noted down.
    consume: (taken) => {
      for (let i = 0; i < 48; i++) void loop(taken, i < 32);
    },
    // A claimed tuple comes back if its taker has died.
    empty: async () =>
      (await space.count([any, any, any])) === 0 && [...put].filter((n) => !got.has(n)).length <= 16 * 10,
  };
}

/** A disk that is full, or a hub that is being started, passes. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let left = 20; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || !(error instanceof BusError) || !error.retryable) throw error;
    }
  }
}

const bus = await connect(url, { timeoutMs: 20_000 });
const stage = await patiently(() => ({ letters, entries, tuples })[kind](bus));
void (async () => {
  for await (const { kind: what } of bus.status()) {
    if (what !== "reconnected") continue;
    reconnected++;
    report();
  }
})();
stage.consume(received);
report();

/** The oldest number that was put and has not been got. */
let oldest = 1;

/** So far ahead of it no entry is put: a log that keeps little would drop it before its next delivery. */
const window = 3_000;

function isAhead(): boolean {
  while (oldest < next && (got.has(oldest) || (oldest < next - putters && !put.has(oldest)))) oldest++;
  return counts.put - counts.settled > ahead || (kind === "entries" && next - oldest > window);
}

const putters = 128;

async function putter(): Promise<void> {
  while (counts.put < wanted) {
    if (isAhead()) {
      await pause(1);
      continue;
    }
    const n = ++next;
    note(["began", n]);
    try {
      note(["put", n, await stage.put(n)]);
    } catch (error) {
      const refused = error instanceof BusError && (error.code === "overflow" || error.code === "unavailable");
      note([refused ? "refused" : "unknown", n]);
      await pause(20);
    }
  }
}

await Promise.all(Array.from({ length: putters }, putter));
while (!(await stage.empty().catch(() => false))) await pause(50);
// What was lent to an actor that was killed has come again by now, or never will.
await pause(2_500);
while (!(await stage.empty().catch(() => false))) await pause(50);
report(true);
await bus.close({ drainMs: 1_000 });
process.exit(0);
