import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import { type BusError, connect } from "@quadrant/bus";

/** What became of a flood, and what it took. */
export interface FloodReport {
  readonly accepted: number;
  readonly overflowed: number;
  /** By code: how else publishes ended. */
  readonly otherwise: Readonly<Record<string, number>>;
  /** What is alive now, above what was alive before: on the heap and beside it, in bytes. */
  readonly addedBytes: number;
}

/**
 * A publisher as a process, started with --expose-gc: told `{ publishes, bytes }` it publishes so many without awaiting any,
 * and tells what became of them once all have ended. Ends with the one who forked it.
 */
const bus = await connect(process.argv[2]!, { timeoutMs: 20_000, requestTimeoutMs: 2_000 });
process.once("disconnect", () => process.exit(0));

/** Between two turns. */
const turnAfter = 500;

function collected(): number {
  if (gc === undefined) throw new Error("start this process with --expose-gc");
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** On the heap and beside it. Buffers that nobody has any more are freed by threads of V8, in their own time. */
async function livingBytes(): Promise<number> {
  let least = collected();
  for (let unchanged = 0; unchanged < 5; unchanged++) {
    await pause(20);
    const now = collected();
    if (now < 0.99 * least) unchanged = 0;
    least = Math.min(least, now);
  }
  return least;
}

async function flood(publishes: number, bytes: number): Promise<FloodReport> {
  const body = "x".repeat(bytes - 10);
  const otherwise: Record<string, number> = {};
  let [accepted, overflowed] = [0, 0];
  const ended = Promise.withResolvers<void>();
  let left = publishes;
  const end = (code: string | undefined): void => {
    if (code === undefined) accepted++;
    else if (code === "overflow") overflowed++;
    else otherwise[code] = (otherwise[code] ?? 0) + 1;
    if (--left === 0) ended.resolve();
  };
  const taken = (): void => end(undefined);
  const refused = ({ code }: BusError): void => end(code);
  const before = await livingBytes();
  for (let n = 1; n <= publishes; n++) {
    void bus.publish("flood", `${String(n).padStart(8, "0")}${body}`).then(taken, refused);
    if (n % turnAfter === 0) await turn();
  }
  await ended.promise;
  // The broker still stands still: what was accepted is all there.
  return { accepted, overflowed, otherwise, addedBytes: (await livingBytes()) - before };
}

process.on("message", ({ publishes, bytes }: { publishes: number; bytes: number }) => {
  void flood(publishes, bytes).then((report) => process.send!(report));
});
await bus.publish("flood", "the first");
await bus.flush();
process.send!("ready");
