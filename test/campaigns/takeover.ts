import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Bus, connect, type TupleSpace } from "@quadrant/bus";
import { startBroker } from "@quadrant/testkit/brokers";
import { type Account, Load } from "./takeover-load.ts";

/** Who takes over: a process that stands by for it (`owner=prefer`), or one that uses spaces and is not prepared. */
export const successors = ["standby", "user"] as const;
export type Successor = (typeof successors)[number];

export interface TakeoverReport {
  /** Resident in the space, of those that were acknowledged. */
  readonly tuples: number;
  readonly fillSeconds: number;
  /** From the SIGKILL of the owner's process until an operation succeeded that was begun after it. */
  readonly takeoverMs: number;
  readonly put: number;
  readonly taken: number;
  readonly indefinite: number;
  /** Acknowledged, and neither there nor taken; without those that an indefinite take may have got. */
  readonly lost: number;
  /** Taken twice, or taken and still there. */
  readonly twice: number;
  /** There or taken, and never put. */
  readonly invented: number;
}

const program = fileURLToPath(new URL("./takeover-owner.ts", import.meta.url));
const perBucket = 1_000;
const bucketsAtOnce = 8;
/** Operations before the kill, and after the first that succeeded. */
const someWork = 500;

class OwnerProcess {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  static async start(url: string): Promise<OwnerProcess> {
    const child = fork(program, [url], { execPath: process.execPath, execArgv: [] });
    const ended = once(child, "exit").then(() => Promise.reject(new Error("an owner's process ended by itself")));
    await Promise.race([once(child, "message"), ended]);
    ended.catch(() => undefined);
    return new OwnerProcess(child);
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: bucketsAtOnce }, lane));
}

function fill(space: TupleSpace, tuples: number): Promise<void> {
  return inParallel(Math.ceil(tuples / perBucket), async (bucket) => {
    const length = Math.min(perBucket, tuples - bucket * perBucket);
    await space.outMany(Array.from({ length }, (_, at) => ["resident", bucket, bucket * perBucket + at]));
  });
}

/** How the residents differ from what was put. */
async function missingAndStrange(
  space: TupleSpace,
  tuples: number,
): Promise<{ lost: number; twice: number; strange: number }> {
  const count = { lost: 0, twice: 0, strange: 0 };
  await inParallel(Math.ceil(tuples / perBucket), async (bucket) => {
    const found = (await space.rdAll(["resident", bucket, Number])).map(([, , n]) => n);
    const expected = Math.min(perBucket, tuples - bucket * perBucket);
    const distinct = new Set(found.filter((n) => n >= bucket * perBucket && n < bucket * perBucket + expected));
    count.lost += expected - distinct.size;
    count.twice += found.length - new Set(found).size;
    count.strange += new Set(found).size - distinct.size;
  });
  const all = await space.count(["resident", Number, Number]);
  count.strange += Math.max(0, all - tuples);
  return count;
}

function balance({ put, maybePut, taken, maybeTaken }: Account, remaining: readonly number[]) {
  const all = [...taken, ...remaining];
  const there = new Set(all);
  const missing = [...put].filter((n) => !there.has(n)).length;
  return {
    lost: Math.max(0, missing - maybeTaken),
    twice: all.length - there.size,
    invented: [...there].filter((n) => !put.has(n) && !maybePut.has(n)).length,
  };
}

/** Fills a space, kills its owner under load, and looks at what is there when somebody else owns it. */
export async function runTakeover(tuples: number, successor: Successor): Promise<TakeoverReport> {
  const broker = await startBroker("nats");
  const processes: OwnerProcess[] = [];
  const buses: Bus[] = [];
  const client = async (owner: "never" | "allow"): Promise<TupleSpace> => {
    const bus = await connect(`${broker.url}?owner=${owner}`, { timeoutMs: 60_000, requestTimeoutMs: 60_000 });
    buses.push(bus);
    return bus.space("takeover");
  };
  try {
    const owner = await OwnerProcess.start(broker.url);
    processes.push(owner);
    const putting = await client(successor === "user" ? "allow" : "never");
    const taking = await client("never");
    if (successor === "standby") processes.push(await OwnerProcess.start(broker.url));
    const began = performance.now();
    await fill(putting, tuples);
    const fillSeconds = (performance.now() - began) / 1_000;
    const load = new Load(putting, taking);
    await succeeding(load, 0, someWork);
    const killedMs = performance.now();
    await owner.kill();
    const firstMs = await succeeding(load, killedMs, 1);
    await succeeding(load, firstMs, someWork);
    const account = await load.end();
    const remaining = (await taking.rdAll(["work", Number])).map(([, n]) => n);
    const worked = balance(account, remaining);
    const resident = await missingAndStrange(taking, tuples);
    return {
      tuples,
      fillSeconds,
      takeoverMs: firstMs - killedMs,
      put: account.put.size,
      taken: account.taken.length,
      indefinite: account.maybePut.size + account.maybeTaken,
      lost: worked.lost + resident.lost,
      twice: worked.twice + resident.twice,
      invented: worked.invented + resident.strange,
    };
  } finally {
    await Promise.all(buses.map((bus) => bus.close({ drainMs: 0 })));
    await Promise.all(processes.map((each) => each.kill()));
    await broker[Symbol.asyncDispose]();
  }
}

/** Resolves with when the last of so many operations succeeded that were begun later. */
function succeeding(load: Load, afterMs: number, count: number): Promise<number> {
  return new Promise((resolve) => {
    let left = count;
    load.succeeded = (beganMs) => {
      if (beganMs >= afterMs && --left === 0) resolve(performance.now());
    };
  });
}
