import type { Settlement } from "@quadrant/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { EngineSession } from "./session.ts";
import { type KeptTrial, letter, startKeptTrial, startTrial, type Trial } from "./trial.ts";

/** A letter as the model has it: plain facts, looked through from the start each time. */
interface ModelLetter {
  readonly id: string;
  readonly order: number;
  readonly key: string | undefined;
  readonly expiresAt: number;
  notBefore: number;
  attempt: number;
  state: "in" | "held" | "gone" | "dead";
  leaseEnd: number;
  loan: number;
}

interface Lent {
  readonly id: string;
  readonly attempt: number;
  readonly loan: number;
}

const windowMs = 120_000;

/** The mailbox in its plainest form: a list, and rules that are applied to all of it. */
class Model {
  now: number;
  readonly letters: ModelLetter[] = [];
  readonly dead: ModelLetter[] = [];
  readonly #leaseMs: number;
  readonly #maxAttempts: number;
  readonly #capacity: number;
  readonly #ids = new Map<string, number>();
  #order = 0;
  #loan = 0;

  constructor(now: number, leaseMs: number, maxAttempts: number, capacity: number) {
    this.now = now;
    this.#leaseMs = leaseMs;
    this.#maxAttempts = maxAttempts;
    this.#capacity = capacity;
  }

  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const ending = this.letters.filter((each) => each.state === "held" && each.leaseEnd <= end);
      const first = ending.sort((a, b) => a.leaseEnd - b.leaseEnd || a.loan - b.loan)[0];
      if (first === undefined) break;
      this.now = Math.max(this.now, first.leaseEnd);
      this.#fail(first, 0);
    }
    this.now = end;
    this.#expire();
  }

  send(id: string, dedupe: boolean, key: string | undefined, delayMs: number, ttlMs: number): string {
    const seen = this.#ids.get(id);
    if (dedupe && seen !== undefined && this.now - seen < windowMs) return "duplicate";
    const { waiting, delayed } = this.info();
    if (waiting + delayed >= this.#capacity) return "overflow";
    if (dedupe) this.#ids.set(id, this.now);
    this.#put(id, key, this.now + delayMs, this.now + ttlMs);
    return "sent";
  }

  fetch(max: number, leaseMs: number | undefined): Lent[] {
    const lent: Lent[] = [];
    while (lent.length < max) {
      const next = this.letters.find((each) => this.#isReady(each));
      if (next === undefined) break;
      next.state = "held";
      next.attempt++;
      next.loan = ++this.#loan;
      next.leaseEnd = this.now + (leaseMs ?? this.#leaseMs);
      lent.push({ id: next.id, attempt: next.attempt, loan: next.loan });
    }
    this.#expire();
    return lent;
  }

  settle(loan: number, kind: Settlement["kind"], ms: number): boolean {
    const held = this.letters.find((each) => each.state === "held" && each.loan === loan);
    if (held === undefined) return false;
    if (kind === "extend") held.leaseEnd = this.now + ms;
    else if (kind === "ack") held.state = "gone";
    else if (kind === "reject") this.#die(held);
    else if (kind === "nak") this.#fail(held, ms);
    else {
      held.attempt--;
      held.state = "in";
      held.notBefore = this.now;
    }
    this.#expire();
    return true;
  }

  redrive(limit: number): number {
    const revived = this.dead.splice(0, limit);
    for (const { id, key } of revived) this.#put(id, key, this.now, Number.POSITIVE_INFINITY);
    return revived.length;
  }

  purge(): number {
    const purged = this.letters.filter((each) => each.state === "in");
    for (const each of purged) each.state = "gone";
    return purged.length;
  }

  info(): { waiting: number; held: number; delayed: number; dead: number } {
    const inside = this.letters.filter((each) => each.state === "in");
    const delayed = inside.filter((each) => each.notBefore > this.now).length;
    const held = this.letters.filter((each) => each.state === "held").length;
    return { waiting: inside.length - delayed, held, delayed, dead: this.dead.length };
  }

  peek(): string[] {
    return this.letters.filter((each) => each.state === "in" || each.state === "held").map(({ id }) => id);
  }

  #put(id: string, key: string | undefined, notBefore: number, expiresAt: number): void {
    const order = this.#order++;
    this.letters.push({ id, order, key, expiresAt, notBefore, attempt: 0, state: "in", leaseEnd: 0, loan: 0 });
  }

  #isReady(one: ModelLetter): boolean {
    if (one.state !== "in" || one.notBefore > this.now) return false;
    const earlier = this.letters.slice(0, this.letters.indexOf(one));
    return (
      one.key === undefined ||
      !earlier.some(({ key, state }) => key === one.key && (state === "in" || state === "held"))
    );
  }

  #fail(one: ModelLetter, delayMs: number): void {
    if (one.attempt >= this.#maxAttempts) this.#die(one);
    else {
      one.state = "in";
      one.notBefore = this.now + delayMs;
      this.#expire();
    }
  }

  #die(one: ModelLetter): void {
    one.state = "dead";
    this.dead.push(one);
  }

  #expire(): void {
    for (const each of this.letters) if (each.state === "in" && each.expiresAt <= this.now) each.state = "gone";
  }
}

const ms = fc.integer({ min: 0, max: 120 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("send" as const),
      named: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
      key: fc.constantFrom(undefined, undefined, "a", "b"),
      delayMs: fc.constantFrom(0, 0, 0, 30, 100),
      ttlMs: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 20, 80),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("fetch" as const),
      max: fc.integer({ min: 1, max: 4 }),
      leaseMs: fc.constantFrom(undefined, 10, 70),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      /** Counted from the last loan backwards, so that old ones are tried too. */
      back: fc.integer({ min: 0, max: 6 }),
      how: fc.constantFrom("ack", "ack", "nak", "nak", "release", "reject", "extend" as const),
      ms: fc.integer({ min: 1, max: 120 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("advance" as const), ms }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.constant(windowMs) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("redrive" as const), limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("purge" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
);

/** Large letters are kept apart from their loans. */
const large = new Uint8Array(2_000);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** The real mailbox beside the model: each step is done to both, and what both say is compared. */
class Comparison {
  #trial: Trial | KeptTrial;
  readonly #model: Model;
  readonly #tokens: string[] = [];
  #sent = 0;

  constructor(trial: Trial | KeptTrial, leaseMs: number, maxAttempts: number, capacity: number) {
    this.#trial = trial;
    this.#model = new Model(this.#trial.clock.now(), leaseMs, maxAttempts, capacity);
  }

  get #queues(): EngineSession["queues"] {
    return this.#trial.session.queues;
  }

  async open(options: Parameters<EngineSession["queues"]["open"]>[1]): Promise<void> {
    await this.#queues.open("q", options);
  }

  async take(one: Step): Promise<void> {
    switch (one.kind) {
      case "send":
        return await this.#send(one);
      case "fetch":
        return await this.#fetch(one.max, one.leaseMs);
      case "settle":
        return await this.#settle(one);
      case "advance":
        this.#trial.clock.advance(one.ms);
        this.#model.advance(one.ms);
        return;
      case "redrive":
        expect(await this.#queues.redrive("q", { limit: one.limit })).toBe(this.#model.redrive(one.limit));
        return;
      case "purge":
        expect(await this.#queues.purge("q")).toBe(this.#model.purge());
        return;
      case "restart":
        if ("restart" in this.#trial) this.#trial = await this.#trial.restart();
    }
  }

  async compare(): Promise<void> {
    expect(await this.#queues.info("q")).toEqual(this.#model.info());
    expect((await this.#queues.peek("q", 1000)).map(({ id }) => id)).toEqual(this.#model.peek());
    const dead = await this.#queues.deadLetters("q", 1000);
    expect(dead.map(({ id, attempt }) => [id, attempt])).toEqual(
      this.#model.dead.map(({ id, attempt }) => [id, attempt]),
    );
  }

  async close(): Promise<void> {
    await this.#trial.engine.close();
    expect(this.#trial.clock.pending).toBe(0);
  }

  async #send({ named, key, delayMs, ttlMs }: Extract<Step, { kind: "send" }>): Promise<void> {
    const dedupe = named !== undefined;
    const id = dedupe ? `named-${named}` : `own-${this.#sent++}`;
    const expected = this.#model.send(id, dedupe, key, delayMs, ttlMs);
    const [outcome] = await this.#queues.send("q", [
      letter(id, { dedupe, key, delayMs, ttlMs, ...(id.length % 2 === 0 ? {} : { body: large }) }),
    ]);
    const said = "error" in outcome! ? outcome.error.code : outcome!.duplicate ? "duplicate" : "sent";
    expect(said).toBe(expected);
  }

  async #fetch(max: number, leaseMs: number | undefined): Promise<void> {
    const abort = new AbortController();
    const fetched = this.#queues.fetch("q", { max, leaseMs, signal: abort.signal });
    abort.abort();
    const letters = await fetched;
    const expected = this.#model.fetch(max, leaseMs);
    expect(letters.map(({ id, attempt }) => [id, attempt])).toEqual(expected.map(({ id, attempt }) => [id, attempt]));
    for (const [index, { loan }] of expected.entries()) this.#tokens[loan] = letters[index]!.token;
  }

  async #settle({ back, how, ms: given }: Extract<Step, { kind: "settle" }>): Promise<void> {
    const loan = this.#tokens.length - 1 - back;
    const token = this.#tokens[loan];
    if (token === undefined) return;
    const settlement: Settlement =
      how === "nak"
        ? { kind: how, token, delayMs: given }
        : how === "extend"
          ? { kind: how, token, leaseMs: given }
          : how === "reject"
            ? { kind: how, token, failure: { code: "x", message: "y" } }
            : { kind: how as "ack" | "release", token };
    const [settled] = await this.#queues.settle("q", [settlement]);
    expect(settled?.code).toBe(this.#model.settle(loan, how as Settlement["kind"], given) ? undefined : "stale");
  }
}

test.each([
  ["in memory", async () => startTrial()],
  ["kept, its process killed now and then", () => startKeptTrial()],
])("a mailbox does what a plain model of it does, under random operations on a virtual clock: %s", async (_, start) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 80, size: "max" }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(4, 1000),
      async (steps, maxAttempts, capacity) => {
        const comparison = new Comparison(await start(), 50, maxAttempts, capacity);
        await comparison.open({ leaseMs: 50, maxAttempts, capacity });
        for (const one of steps) {
          await comparison.take(one);
          await comparison.compare();
        }
        await comparison.close();
      },
    ),
    { numRuns: 400 },
  );
});
