import { any, between, compileTemplate, oneOf, partial, prefix } from "@quadrant/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { EngineSession } from "./session.ts";
import { type KeptTrial, startKeptTrial, startTrial, type Trial, template, tuple } from "./trial.ts";

// ---- small worlds, so that matches and near misses are common

const leaf = fc.constantFrom<unknown>(0, 1, 2, "a", "ab", "b", null, true, 1n, Number.NaN);
const field = fc.oneof(
  { weight: 6, arbitrary: leaf },
  { weight: 1, arbitrary: fc.tuple(leaf, leaf) },
  { weight: 1, arbitrary: fc.record({ x: leaf, y: leaf }, { requiredKeys: ["x"] }) },
);
const leafHole = fc.oneof(leaf, fc.constant<unknown>(any));
const hole = fc.oneof(
  { weight: 6, arbitrary: field },
  { weight: 4, arbitrary: fc.constant<unknown>(any) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<unknown>(
      String,
      Number,
      Boolean,
      Array,
      Object,
      between(0, 1),
      oneOf("a", 2),
      prefix("a"),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(leafHole, leafHole) },
  { weight: 1, arbitrary: fc.record({ x: leafHole }) },
  { weight: 1, arbitrary: fc.record({ x: leafHole }).map((record) => partial(record as never)) },
);
const keys = ["a", "b", "c", "longer:key"];
const record = (values: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> =>
  fc.dictionary(fc.constantFrom(...keys), values, { maxKeys: 4 });
/** Five fields have more combinations than are indexed. */
const anyTuple = fc.oneof(
  { weight: 3, arbitrary: fc.array(field, { maxLength: 3 }) },
  { weight: 3, arbitrary: fc.array(leaf, { minLength: 5, maxLength: 5 }) },
  { weight: 2, arbitrary: record(field) },
);
const anyTemplate = fc.oneof(
  { weight: 3, arbitrary: fc.array(hole, { maxLength: 3 }) },
  { weight: 3, arbitrary: fc.array(leafHole, { minLength: 5, maxLength: 5 }) },
  { weight: 2, arbitrary: record(hole) },
  { weight: 3, arbitrary: record(hole).map((holes) => partial(holes as never)) },
);

const text = anyTuple.map(tuple);
const pattern = anyTemplate.map(template);
const leaseMs = fc.constantFrom(undefined, undefined, undefined, 0, 20, 60);

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("out" as const), text, leaseMs }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("outMany" as const), texts: fc.array(text, { maxLength: 3 }), leaseMs }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom("takeNow", "readNow", "readAll", "count", "take", "read", "claim" as const),
      pattern,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("takeMany" as const), pattern, max: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      back: fc.integer({ min: 0, max: 3 }),
      how: fc.constantFrom("ack", "nak", "extend" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("renew", "cancel" as const), back: fc.integer({ min: 0, max: 5 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("abort" as const), back: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

// ---- the model: a list that is scanned

interface ModelTuple {
  readonly text: string;
  readonly order: number;
  expiresAt: number;
  state: "in" | "claimed" | "gone";
}

interface ModelWaiter {
  readonly index: number;
  readonly kind: "take" | "read" | "claim";
  readonly pattern: string;
}

interface ModelClaim {
  readonly held: ModelTuple;
  end: number;
  open: boolean;
}

const claimMs = 50;

class Model {
  now: number;
  readonly newest: boolean;
  readonly tuples: ModelTuple[] = [];
  waiters: ModelWaiter[] = [];
  readonly claims: ModelClaim[] = [];
  /** What each waiter got, by its index: a text, or the index of a claim. */
  readonly got = new Map<number, string | number>();

  constructor(now: number, newest: boolean) {
    this.now = now;
    this.newest = newest;
  }

  matches(pattern: string): ModelTuple[] {
    const compiled = compileTemplate(pattern);
    return this.tuples.filter(
      (each) => each.state === "in" && each.expiresAt > this.now && compiled.matches(each.text),
    );
  }

  picked(pattern: string): ModelTuple[] {
    const found = this.matches(pattern);
    return this.newest ? found.reverse() : found;
  }

  out(text: string, leaseMs: number = Number.POSITIVE_INFINITY): ModelTuple {
    const one: ModelTuple = { text, order: this.tuples.length, expiresAt: this.now + leaseMs, state: "in" };
    this.tuples.push(one);
    this.#offer(one);
    return one;
  }

  claim(held: ModelTuple): number {
    held.state = "claimed";
    this.claims.push({ held, end: this.now + claimMs, open: true });
    return this.claims.length - 1;
  }

  putBack(claim: ModelClaim): void {
    claim.open = false;
    claim.held.state = "in";
    if (claim.held.expiresAt <= this.now) claim.held.state = "gone";
    else this.#offer(claim.held);
  }

  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const due = this.claims.filter((claim) => claim.open && claim.end <= end).sort((a, b) => a.end - b.end)[0];
      if (due === undefined) break;
      this.now = Math.max(this.now, due.end);
      this.putBack(due);
    }
    this.now = end;
  }

  #offer(one: ModelTuple): void {
    const wanting = this.waiters.filter((waiter) => compileTemplate(waiter.pattern).matches(one.text));
    const taker = wanting.find(({ kind }) => kind !== "read");
    const served = wanting.filter((waiter) => waiter.kind === "read" || waiter === taker);
    for (const { index, kind } of served) this.got.set(index, kind === "claim" ? this.claim(one) : one.text);
    if (taker?.kind === "take") one.state = "gone";
    this.waiters = this.waiters.filter((waiter) => !served.includes(waiter));
  }
}

// ---- both, side by side

type Waiting = Promise<string | { readonly tuple: string; readonly token: string }>;

class Comparison {
  #trial: Trial | KeptTrial;
  readonly #model: Model;
  readonly #leases: { id: string; model: ModelTuple }[] = [];
  /** By the index of the model's claims. */
  readonly #tokens: string[] = [];
  readonly #aborts: AbortController[] = [];
  readonly #got = new Map<number, string>();

  constructor(trial: Trial | KeptTrial, newest: boolean) {
    this.#trial = trial;
    this.#model = new Model(this.#trial.clock.now(), newest);
  }

  get #tuples(): EngineSession["tuples"] {
    return this.#trial.session.tuples;
  }

  async open(): Promise<void> {
    await this.#tuples.open("s", { pick: this.#model.newest ? "newest" : "oldest" });
  }

  async take(one: Step): Promise<void> {
    switch (one.kind) {
      case "out":
        return await this.#out(one.text, one.leaseMs);
      case "outMany":
        await this.#tuples.outMany("s", one.texts, one.leaseMs);
        for (const each of one.texts) this.#model.out(each, one.leaseMs);
        return;
      case "settle":
        return await this.#settle(one.back, one.how);
      case "renew":
      case "cancel":
        return await this.#renew(one.kind, one.back);
      case "abort":
        return this.#abort(one.back);
      case "advance":
        this.#trial.clock.advance(one.ms);
        this.#model.advance(one.ms);
        return;
      case "restart":
        if (!("restart" in this.#trial)) return;
        this.#trial = await this.#trial.restart();
        // Who waited is told that the connection is gone.
        this.#model.waiters = [];
        return;
      case "takeMany":
        return await this.#takeMany(one.pattern, one.max);
      default:
        return await this.#find(one.kind, one.pattern);
    }
  }

  async compare(): Promise<void> {
    // Every waiter that was served has said so after this turn.
    await new Promise((resolve) => setImmediate(resolve));
    const expected = [...this.#model.got].map(([index, got]) => [
      index,
      typeof got === "number" ? this.#model.claims[got]!.held.text : got,
    ]);
    expect([...this.#got].sort(([a], [b]) => a - b)).toEqual(expected.sort(([a], [b]) => Number(a) - Number(b)));
    const { tuples, claims, waiters } = this.#trial.engine.describe().spaces as Record<string, number>;
    expect(claims).toBe(this.#model.claims.filter(({ open }) => open).length);
    expect(waiters).toBe(this.#model.waiters.length);
    if (tuples !== undefined) {
      const stored = this.#model.tuples.filter(({ state, expiresAt }) => state === "in" && expiresAt > this.#model.now);
      expect(tuples).toBe(stored.length);
    }
  }

  async close(): Promise<void> {
    await this.#trial.engine.close();
    expect(this.#trial.clock.pending).toBe(0);
  }

  async #out(text: string, leaseMs: number | undefined): Promise<void> {
    const lease = await this.#tuples.out("s", text, leaseMs, {});
    this.#leases.push({ id: lease.id, model: this.#model.out(text, leaseMs) });
  }

  async #find(kind: "takeNow" | "readNow" | "readAll" | "count" | "take" | "read" | "claim", pattern: string) {
    const picked = this.#model.picked(pattern)[0];
    if (kind === "readAll") {
      expect(await this.#tuples.readAll("s", pattern)).toEqual(this.#model.matches(pattern).map(({ text }) => text));
    } else if (kind === "count") {
      expect(await this.#tuples.count("s", pattern)).toBe(this.#model.matches(pattern).length);
    } else if (kind === "readNow") {
      expect(await this.#tuples.readNow("s", pattern)).toBe(picked?.text);
    } else if (kind === "takeNow") {
      expect(await this.#tuples.takeNow("s", pattern)).toBe(picked?.text);
      if (picked !== undefined) picked.state = "gone";
    } else this.#want(kind, pattern, picked);
  }

  /** Found at once or waited for: in both cases by the index of the operation. */
  #want(kind: "take" | "read" | "claim", pattern: string, picked: ModelTuple | undefined): void {
    const index = this.#aborts.length;
    const abort = new AbortController();
    this.#aborts.push(abort);
    const wait = { signal: abort.signal };
    const waiting: Waiting =
      kind === "claim" ? this.#tuples.claim("s", pattern, claimMs, wait) : this.#tuples[kind]("s", pattern, wait);
    waiting.then(
      (got) => {
        this.#got.set(index, typeof got === "string" ? got : got.tuple);
        const claim = this.#model.got.get(index);
        if (typeof got !== "string" && typeof claim === "number") this.#tokens[claim] = got.token;
      },
      () => undefined,
    );
    if (picked === undefined) this.#model.waiters.push({ index, kind, pattern });
    else {
      this.#model.got.set(index, kind === "claim" ? this.#model.claim(picked) : picked.text);
      if (kind === "take") picked.state = "gone";
    }
  }

  async #takeMany(pattern: string, max: number): Promise<void> {
    const picked = this.#model.picked(pattern).slice(0, max);
    expect(await this.#tuples.takeMany("s", pattern, max)).toEqual(picked.map(({ text }) => text));
    for (const each of picked) each.state = "gone";
  }

  async #settle(back: number, how: "ack" | "nak" | "extend"): Promise<void> {
    const index = this.#tokens.length - 1 - back;
    const token = this.#tokens[index];
    const claim = this.#model.claims[index];
    if (token === undefined || claim === undefined) return;
    const settlement = how === "extend" ? { kind: how, token, leaseMs: claimMs } : { kind: how, token };
    const settled = await this.#tuples.settleClaim("s", settlement);
    expect(settled?.code).toBe(claim.open ? undefined : "stale");
    if (!claim.open) return;
    if (how === "extend") claim.end = this.#model.now + claimMs;
    else if (how === "nak") this.#model.putBack(claim);
    else {
      claim.open = false;
      claim.held.state = "gone";
    }
  }

  async #renew(kind: "renew" | "cancel", back: number): Promise<void> {
    const lease = this.#leases[this.#leases.length - 1 - back];
    if (lease === undefined) return;
    const { id, model } = lease;
    const alive = model.state !== "gone" && model.expiresAt > this.#model.now;
    if (kind === "cancel") {
      await this.#tuples.cancel("s", id);
      if (alive) model.expiresAt = Number.NEGATIVE_INFINITY;
      return;
    }
    const renewed = await this.#tuples.renew("s", id, 30).catch((error: { code: string }) => error.code);
    expect(renewed).toEqual(alive ? { id, expiresInMs: 30 } : "stale");
    if (alive) model.expiresAt = this.#model.now + 30;
  }

  #abort(back: number): void {
    const index = this.#aborts.length - 1 - back;
    this.#aborts[index]?.abort();
    this.#model.waiters = this.#model.waiters.filter((waiter) => waiter.index !== index);
  }
}

const inMemory = async (): Promise<Trial> => startTrial();
const kept = (): Promise<Trial> => startKeptTrial();

test.each([
  ["oldest first", false, inMemory],
  ["newest first", true, inMemory],
  ["oldest first, kept, its process killed now and then", false, kept],
  ["newest first, kept, its process killed now and then", true, kept],
])("a space does what a scanned list does, under random operations: %s", async (_, newest, start) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80, size: "max" }), async (steps) => {
      const comparison = new Comparison(await start(), newest);
      await comparison.open();
      for (const one of steps) {
        await comparison.take(one);
        await comparison.compare();
      }
      await comparison.close();
    }),
    { numRuns: 200 },
  );
});
