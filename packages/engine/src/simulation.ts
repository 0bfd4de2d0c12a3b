/**
 * A space under a seeded scheduler: chance decides what is asked, what is lost, how much time passes and when the process
 * is killed, and all of it follows from the seed. Beside it runs the plainest account of what ought to be; where the two
 * part, the run ends with its history.
 */
import { any, isBusError } from "@quadrant/contract";
import type { RevocableTuples } from "./session.ts";
import { type SimulatedTuple, type SimulatedWait, SpaceAccount } from "./space-account.ts";
import { SpaceReplay } from "./space-replay.ts";
import { type KeptTrial, startKeptTrial, template, tuple } from "./trial.ts";

export interface SimulatedRun {
  readonly seed: number;
  /** What was wrong; undefined where nothing was. */
  readonly fault: string | undefined;
  /** A line a step. */
  readonly history: readonly string[];
}

/** Puts a defect between the scheduler and the space. */
export type Plant = (tuples: RevocableTuples) => RevocableTuples;

const keys = ["a", "b", "c"] as const;
const steps = 40;

/** Mulberry32: numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const textOf = (key: string, n: number): string => tuple([key, n]);
const templateOf = (key: string | undefined): string => template([key ?? any, Number]);

class Fault extends Error {}

class Simulation {
  readonly history: string[] = [];
  readonly #random: () => number;
  readonly #plant: Plant;
  readonly #account: SpaceAccount = new SpaceAccount();
  #replay = new SpaceReplay();
  #trial: KeptTrial;
  #tuples: RevocableTuples;
  /** Makes every moment at which something ends one of its own. */
  #moments = 0;
  #tickets = 0;
  /** What the waits got, by their numbers. */
  #got = new Map<number, string>();
  readonly #aborts = new Map<number, AbortController>();
  readonly #tokens = new Map<SimulatedTuple, string>();
  readonly #handed: { readonly ticket: string; readonly tuple: SimulatedTuple; readonly restore: () => void }[] = [];

  constructor(trial: KeptTrial, random: () => number, plant: Plant) {
    this.#trial = trial;
    this.#random = random;
    this.#plant = plant;
    this.#tuples = plant(trial.session.tuples);
  }

  async run(): Promise<void> {
    const kinds = [this.#out, this.#out, this.#wait, this.#wait, this.#now, this.#hand, this.#settle, this.#pass];
    for (let step = 0; step < steps; step++) {
      const chance = this.#random();
      if (chance < 0.03) await this.#crash();
      else if (chance < 0.08) this.#abort();
      else await kinds[this.#below(kinds.length)]!.call(this);
      await this.#compare();
    }
  }

  async close(): Promise<void> {
    await this.#trial.engine.close();
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #key(): string | undefined {
    return keys[this.#below(keys.length + 1)];
  }

  #duration(): number {
    return 1 + this.#below(60) + ++this.#moments / 65_536;
  }

  #say(line: string): void {
    this.history.push(`${this.#trial.clock.now().toFixed(4)} ${line}`);
  }

  async #out(): Promise<void> {
    const key = keys[this.#below(keys.length)]!;
    const leaseMs = this.#random() < 0.3 ? this.#duration() : undefined;
    const one = this.#account.out(key, this.#trial.clock.now() + (leaseMs ?? Number.POSITIVE_INFINITY));
    this.#say(`out ${key} ${one.n}${leaseMs === undefined ? "" : ` for ${leaseMs.toFixed(4)} ms`}`);
    await this.#tuples.out("s", textOf(key, one.n), leaseMs, {});
  }

  async #wait(): Promise<void> {
    const kind = (["in", "in", "rd", "claim", "both"] as const)[this.#below(5)]!;
    const timeoutMs = this.#random() < 0.5 ? this.#duration() : undefined;
    const until = this.#trial.clock.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    const leaseMs = this.#duration();
    const wait = this.#account.wait(kind, kind === "both" ? "a" : this.#key(), until, leaseMs, this.#trial.clock.now());
    this.#say(
      `${kind} ${wait.key ?? "any"} as wait ${wait.number}${timeoutMs === undefined ? "" : `, ${timeoutMs.toFixed(4)} ms`}`,
    );
    const abort = new AbortController();
    this.#aborts.set(wait.number, abort);
    this.#ask(wait, { timeoutMs, signal: abort.signal });
  }

  #ask(
    { number, kind, key, leaseMs }: SimulatedWait,
    how: { timeoutMs: number | undefined; signal: AbortSignal },
  ): void {
    const got = this.#got;
    const template = templateOf(key);
    const failed = (error: unknown): void => void got.set(number, isBusError(error) ? error.code : String(error));
    if (kind === "both") {
      const both = [templateOf("a"), templateOf("b")];
      this.#tuples.takeAll("s", both, how).then((texts) => got.set(number, texts.join(" ")), failed);
    } else if (kind === "claim") {
      this.#tuples.claim("s", template, leaseMs, how).then(({ tuple: text, token }) => {
        got.set(number, text);
        const claimed = this.#account.find((one) => textOf(one.key, one.n) === text);
        if (claimed !== undefined) this.#tokens.set(claimed, token);
      }, failed);
    } else {
      const asked = kind === "in" ? this.#tuples.take("s", template, how) : this.#tuples.read("s", template, how);
      asked.then((text) => got.set(number, text), failed);
    }
  }

  async #now(): Promise<void> {
    const key = this.#key();
    const takes = this.#random() < 0.5;
    const due = this.#account.oldest(key, this.#trial.clock.now());
    this.#say(`${takes ? "inp" : "rdp"} ${key ?? "any"}`);
    const asked = templateOf(key);
    const got = await (takes ? this.#tuples.takeNow("s", asked) : this.#tuples.readNow("s", asked));
    this.#same("the answer", got, due && textOf(due.key, due.n));
    if (takes && due !== undefined) due.state = "gone";
  }

  /** An answer that is slow to arrive: asked for again, arrived after all, or taken back. */
  async #hand(): Promise<void> {
    const late = this.#handed.pop();
    if (late === undefined) {
      const due = this.#account.oldest(undefined, this.#trial.clock.now());
      if (due === undefined) return;
      const ticket = `t${++this.#tickets}`;
      this.#say(`in any by ${ticket}, its answer under way`);
      const { tuple: text, restore } = await this.#tuples.takeRevocable("s", templateOf(undefined), {}, ticket);
      this.#same("the answer", text, textOf(due.key, due.n));
      due.state = "handed";
      this.#handed.push({ ticket, tuple: due, restore });
      return;
    }
    const { ticket, tuple: one } = late;
    const again = await this.#tuples.takeRevocable("s", templateOf(undefined), { timeoutMs: 0 }, ticket);
    this.#same(`the answer asked for again by ${ticket}`, again.tuple, textOf(one.key, one.n));
    if (this.#random() < 0.5) {
      this.#say(`${ticket} has arrived`);
      again.arrived();
      one.state = "gone";
    } else {
      this.#say(`${ticket} is taken back`);
      again.restore();
      this.#account.putBack(one, this.#trial.clock.now());
    }
  }

  async #settle(): Promise<void> {
    const [one, token] = [...this.#tokens][this.#below(this.#tokens.size)] ?? [];
    if (one === undefined || token === undefined) return;
    const kind = this.#random() < 0.5 ? "ack" : "nak";
    this.#say(`${kind} ${one.key} ${one.n}`);
    const settled = await this.#tuples.settleClaim("s", { kind, token });
    this.#tokens.delete(one);
    const holds = one.state === "held" && one.token === token;
    this.#same("the settlement", settled?.code, holds ? undefined : "stale");
    if (!holds) return;
    if (kind === "ack") one.state = "gone";
    else this.#account.putBack(one, this.#trial.clock.now());
  }

  async #pass(): Promise<void> {
    const ms = this.#below(50);
    this.#account.advance(this.#trial.clock.now(), this.#trial.clock.now() + ms);
    this.#trial.clock.advance(ms);
    this.#say(`${ms} ms passed`);
  }

  #abort(): void {
    const wait = this.#account.waits[this.#below(this.#account.waits.length)];
    if (wait === undefined) return;
    this.#say(`wait ${wait.number} is aborted`);
    this.#account.end(wait, "aborted");
    this.#aborts.get(wait.number)!.abort();
  }

  /** Who waits is told so; what was answered is kept. */
  async #crash(): Promise<void> {
    this.#say("killed, and started again");
    this.#account.waits.splice(0);
    this.#got = new Map(this.#account.due);
    this.#trial = await this.#trial.restart();
    this.#tuples = this.#plant(this.#trial.session.tuples);
    // From the beginning: what was told before is told the same again.
    const { told } = this.#replay;
    this.#replay = new SpaceReplay();
    await this.#watch();
    this.#same("what is told again", this.#replay.told.slice(0, told.length).join(" "), told.join(" "));
  }

  #same(what: string, got: unknown, due: unknown): void {
    if (got !== due) throw new Fault(`${what} is ${String(got)}, not ${String(due)}`);
  }

  async #compare(): Promise<void> {
    // Whatever was answered has said so after this turn.
    await new Promise((resolve) => setImmediate(resolve));
    for (const [one, token] of this.#tokens) if (one.state === "held") one.token ??= token;
    for (const [number, due] of this.#account.due) {
      const text = due.replace(/([abc]) (\d+)/g, (_, key: string, n: string) => textOf(key, Number(n)));
      this.#same(`what wait ${number} got`, this.#got.get(number), text);
      this.#account.due.delete(number);
      this.#got.delete(number);
    }
    const [early] = this.#got;
    if (early !== undefined) throw new Fault(`wait ${early[0]} got ${early[1]}, which it was not due`);
    const there = this.#account.there(this.#trial.clock.now()).map(({ key, n }) => textOf(key, n));
    const found = await this.#tuples.readAll("s", templateOf(undefined));
    this.#same("what is there", found.join(" "), there.join(" "));
    await this.#watch();
    this.#same("what the events come to", this.#replay.content.join(" "), there.sort().join(" "));
  }

  /** All that has happened since it looked last, also before the process was killed. */
  async #watch(): Promise<void> {
    const request = { template: templateOf(undefined), after: this.#replay.last, follow: false, max: 1_000 };
    const { events } = await this.#tuples.watch("s", request);
    for (const event of events) {
      const fault = this.#replay.add(event);
      if (fault !== undefined) throw new Fault(fault);
    }
  }
}

/** One run. Of the same seed the same, to the letter. */
export async function simulate(seed: number, plant: Plant = (tuples) => tuples): Promise<SimulatedRun> {
  const random = seeded(seed);
  const simulation = new Simulation(await startKeptTrial(undefined, undefined, { random }), random, plant);
  try {
    await simulation.run();
    return { seed, fault: undefined, history: simulation.history };
  } catch (error) {
    const fault = error instanceof Fault ? error.message : `failed: ${String(error)}`;
    return { seed, fault, history: simulation.history };
  } finally {
    await simulation.close();
  }
}
