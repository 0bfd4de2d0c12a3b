import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, BusError, connect, type TupleSpace } from "@quadrant/bus";
import { startBroker } from "@quadrant/testkit/brokers";
import type { HistoryDriver } from "./histories.ts";
import { seeded } from "./seeded.ts";

export interface RacesCampaign {
  readonly driver: HistoryDriver;
  readonly races: number;
  readonly seed: number;
  readonly progress?: ((done: number) => void) | undefined;
}

export interface RacesReport {
  readonly races: number;
  /** The racer got the tuple. */
  readonly taken: number;
  /** It gave up, by its signal or its timeout, and the tuple was there for whoever came next. */
  readonly aborted: number;
  readonly timedOut: number;
  /** Of these nobody knows: a broker did not answer in time. They count neither as won nor as lost. */
  readonly indefinite: number;
  /** The racer got the tuple, and it was there as well. */
  readonly both: number;
  /** The racer did not get it, and it was not there. */
  readonly neither: number;
  readonly seconds: number;
}

type Outcome = "taken" | "aborted" | "timedOut" | "indefinite";

const atOnce = 64;

/** Gives up at about the moment at which the tuple comes. */
class Race {
  readonly #taking: TupleSpace;
  readonly #putting: TupleSpace;
  readonly #random: () => number;
  /** How long an `out` takes to reach a taker here, in milliseconds: what is raced against. */
  #usualMs = 1;

  constructor(taking: TupleSpace, putting: TupleSpace, random: () => number) {
    this.#taking = taking;
    this.#putting = putting;
    this.#random = random;
  }

  async #take(template: readonly ["race", number], giveUpMs: number, byTimeout: boolean): Promise<Outcome> {
    const giving = new AbortController();
    const taking = byTimeout
      ? this.#taking.in(template, { timeoutMs: giveUpMs })
      : this.#taking.in(template, { signal: giving.signal });
    if (!byTimeout) void this.#after(giveUpMs).then(() => giving.abort());
    try {
      await taking;
      return "taken";
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (error.code === "aborted") return "aborted";
      if (error.code === "timeout") return "timedOut";
      if (error.code === "indefinite") return "indefinite";
      throw error;
    }
  }

  /** So many milliseconds, and some turns of the loop: finer than a timer. */
  async #after(ms: number): Promise<void> {
    const due = performance.now() + ms;
    for (let turns = Math.floor(this.#random() * 4); turns > 0 || performance.now() < due; turns--) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Resolves with how it ended, and whether the tuple was still there. The tuple comes as often before as after the end. */
  async run(n: number): Promise<readonly [Outcome, boolean]> {
    const tuple = ["race", n] as const;
    const byTimeout = this.#random() < 0.5;
    const around = this.#usualMs * (0.5 + this.#random());
    const giveUpMs = byTimeout ? Math.max(1, Math.ceil(around)) : around;
    const take = this.#take(tuple, giveUpMs, byTimeout);
    await this.#after(Math.max(0, giveUpMs - this.#usualMs) * 2 * this.#random());
    const began = performance.now();
    const putting = this.#putting.out(tuple);
    const outcome = await take;
    if (outcome === "taken") this.#usualMs += (performance.now() - began - this.#usualMs) / 16;
    await putting;
    return [outcome, (await this.#putting.inp(tuple)) !== undefined];
  }
}

async function raceAll(
  races: number,
  race: Race,
  progress?: (done: number) => void,
): Promise<Omit<RacesReport, "seconds">> {
  const report = { races, taken: 0, aborted: 0, timedOut: 0, indefinite: 0, both: 0, neither: 0 };
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < races) {
      const n = next++;
      const [outcome, there] = await race.run(n);
      report[outcome]++;
      if (outcome === "taken" && there) report.both++;
      if ((outcome === "aborted" || outcome === "timedOut") && !there) report.neither++;
      if (n % 1_000 === 999) progress?.(n + 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return report;
}

/** Takes that give up while their tuple is put: it is taken, or it is still there; never both, never neither. */
export async function runRaces({ driver, races, seed, progress }: RacesCampaign): Promise<RacesReport> {
  const folder = await mkdtemp(join(tmpdir(), "quadrant-races-"));
  const kind = driver === "memory" || driver === "file" ? undefined : driver;
  const broker = kind === undefined ? undefined : await startBroker(kind);
  const url =
    broker?.url ?? (driver === "file" ? `file:${join(folder, "data")}?sync=off` : `memory:races-${process.pid}`);
  const buses: Bus[] = [];
  try {
    // Two connections, so that over a network nothing but the broker decides.
    for (let end = 0; end < 2; end++) buses.push(await connect(url, { timeoutMs: 20_000, requestTimeoutMs: 30_000 }));
    const [taking, putting] = (await Promise.all(buses.map((bus) => bus.space("races")))) as [TupleSpace, TupleSpace];
    const began = performance.now();
    const report = await raceAll(races, new Race(taking, putting, seeded(seed)), progress);
    return { ...report, seconds: (performance.now() - began) / 1_000 };
  } finally {
    await Promise.all(buses.map((bus) => bus.close({ drainMs: 1_000 })));
    await broker?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
}
