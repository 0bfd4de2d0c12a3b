import { connect } from "@quadrant/bus";
import type { SendOptions } from "@quadrant/contract";
import { expect } from "vitest";
import { type Attempt, attempt, refuses } from "./bad-input.ts";
import { type Clause, clause } from "./clause.ts";
import { gather } from "./collected.ts";
import { decided, rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

const noDurations = [-1, Number.NaN, Number.NEGATIVE_INFINITY, "5", null] as unknown as number[];
const noCounts = [-1, 0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "5", null] as unknown as number[];

async function durations(scene: Scene): Promise<void> {
  const { bus } = scene;
  const name = scene.name();
  const [log, box, space] = [await bus.log(name), await bus.mailbox(name), await bus.space(name)];
  const lease = await space.out(["t"], { leaseMs: 60_000 });
  const claim = scene.own(await space.claim(["t"]));
  const send = (options: SendOptions): Promise<unknown> => box.send(1, options);
  const invalid = (what: string, use: (ms: number) => unknown): Attempt[] =>
    noDurations.map((ms) => attempt(`${what} ${String(ms)}`, "invalid", () => use(ms)));
  await refuses(scene, [
    ...invalid("requestTimeoutMs", (requestTimeoutMs) => scene.connect({ requestTimeoutMs })),
    ...invalid("timeoutMs of connect", (timeoutMs) => scene.connect({ timeoutMs })),
    ...invalid("maxAgeMs", (maxAgeMs) => bus.log(scene.name(), { maxAgeMs })),
    ...invalid("leaseMs of a mailbox", (leaseMs) => bus.mailbox(scene.name(), { leaseMs })),
    ...invalid("leaseMs of a receiver", (leaseMs) => box.receive({ leaseMs })),
    ...invalid("leaseMs of a durable", (leaseMs) => log.subscribe({ durable: "d", leaseMs })),
    ...invalid("delayMs", (delayMs) => send({ delayMs })),
    ...invalid("ttlMs", (ttlMs) => send({ ttlMs })),
    ...invalid("timeoutMs of in", (timeoutMs) => space.in(["x"], { timeoutMs })),
    ...invalid("timeoutMs of rd", (timeoutMs) => space.rd(["x"], { timeoutMs })),
    ...invalid("timeoutMs of out", (timeoutMs) => space.out(["x"], { timeoutMs })),
    ...invalid("leaseMs of out", (leaseMs) => space.out(["x"], { leaseMs })),
    ...invalid("leaseMs of outMany", (leaseMs) => space.outMany([["x"]], { leaseMs })),
    ...invalid("leaseMs of a claim", (leaseMs) => space.claim(["x"], { leaseMs, timeoutMs: 0 })),
    ...invalid("renew", (ms) => lease.renew(ms)),
    ...invalid("extend of a claim", (ms) => claim.extend(ms)),
    ...invalid("timeoutMs of a call", (timeoutMs) => bus.client<{ run(): void }>(name, { timeoutMs }).run()),
  ]);
  expect((await box.info()).waiting).toBe(0);
  expect(await space.count([String])).toBe(0);
  await Promise.all([log.destroy(), box.destroy()]);
}

async function counts(scene: Scene): Promise<void> {
  const { bus } = scene;
  const name = scene.name();
  const [log, box, space] = [await bus.log(name), await bus.mailbox(name), await bus.space(name)];
  const invalid = (what: string, use: (count: number) => unknown): Attempt[] =>
    noCounts.map((count) => attempt(`${what} ${String(count)}`, "invalid", () => use(count)));
  await refuses(scene, [
    ...invalid("buffer", (buffer) => bus.subscribe(name, { buffer })),
    ...invalid("maxMessages", (maxMessages) => bus.log(scene.name(), { maxMessages })),
    ...invalid("maxBytes", (maxBytes) => bus.log(scene.name(), { maxBytes })),
    ...invalid("maxAttempts", (maxAttempts) => bus.mailbox(scene.name(), { maxAttempts })),
    ...invalid("capacity", (capacity) => bus.mailbox(scene.name(), { capacity })),
    ...invalid("capacity of a space", (capacity) => bus.space(scene.name(), { capacity })),
    ...invalid("maxScan", (maxScan) => bus.space(scene.name(), { maxScan })),
    ...invalid("maxInFlight", (maxInFlight) => box.receive({ maxInFlight })),
    ...invalid("maxInFlight of a durable", (maxInFlight) => log.subscribe({ durable: "d", maxInFlight })),
    ...invalid("concurrency", (concurrency) => box.process(() => undefined, { concurrency })),
    ...invalid("concurrency of a server", (concurrency) => bus.serve(scene.name(), { run: () => 1 }, { concurrency })),
    ...invalid("max", (max) => space.inMany(["x"], { max })),
    ...invalid("peek", (limit) => box.peek(limit)),
    ...invalid("deadLetters", (limit) => box.deadLetters(limit)),
    ...invalid("maxPayloadBytes", (maxPayloadBytes) => scene.connect({ maxPayloadBytes })),
    attempt("expectLast -1", "invalid", () => log.append("s", 1, { expectLast: -1 })),
    attempt("expectLast 0.5", "invalid", () => log.append("s", 1, { expectLast: 0.5 })),
    attempt("read from seq -1", "invalid", () => gather(log.read({ from: { seq: -1 }, to: "end" }))),
    attempt("read from an invalid date", "invalid", () =>
      gather(log.read({ from: { time: new Date(Number.NaN) }, to: "end" })),
    ),
  ]);
  await Promise.all([log.destroy(), box.destroy(), space.destroy()]);
}

async function longTimers(scene: Scene): Promise<void> {
  const space = await scene.bus.space(scene.name());
  const longMs = 2 ** 31 + 1_000;
  const waiting = [longMs, Number.POSITIVE_INFINITY].map((timeoutMs) => space.in(["late"], { timeoutMs }));
  const ended: unknown[] = [];
  for (const each of waiting) each.catch((error: unknown) => ended.push(error));
  await space.out(["kept"], { leaseMs: longMs });
  await space.out(["kept"], { leaseMs: Number.POSITIVE_INFINITY });
  // A timer that fires at once for what it cannot count would fire before this one.
  await decided("timeout", () => space.in(["never"], { timeoutMs: 20 }));
  expect(ended).toEqual([]);
  expect(await space.count(["kept"])).toBe(2);
  await space.outMany([["late"], ["late"]]);
  expect(await Promise.all(waiting)).toEqual([["late"], ["late"]]);
}

async function signals(scene: Scene): Promise<void> {
  const { bus } = scene;
  const name = scene.name();
  const [log, box, space] = [await bus.log(name), await bus.mailbox(name), await bus.space(name)];
  let called = 0;
  const service = { run: () => ++called };
  scene.own(await scene.other.serve(name, service));
  const signal = AbortSignal.abort();
  const aborted = (what: string, use: () => unknown): Attempt => attempt(what, "aborted", use);
  await refuses(scene, [
    aborted("connect", () => scene.connect({ signal })),
    aborted("subscribe", () => bus.subscribe(name, { signal })),
    aborted("log.subscribe", () => log.subscribe({ durable: "d", signal })),
    aborted("receive", () => box.receive({ signal })),
    aborted("process", () => box.process(() => undefined, { signal })),
    aborted("in", () => space.in(["t"], { signal })),
    aborted("rd", () => space.rd(["t"], { signal })),
    aborted("claim", () => space.claim(["t"], { signal })),
    aborted("out", () => space.out(["t"], { signal })),
    aborted("call", () => bus.client<typeof service>(name, { signal }).run()),
  ]);
  expect(called).toBe(0);
  expect(await space.count(["t"])).toBe(0);
  await Promise.all([log.destroy(), box.destroy(), space.destroy()]);
}

async function wrongThings(scene: Scene): Promise<void> {
  const { bus } = scene;
  const name = scene.name();
  const [log, box, space] = [await bus.log(name), await bus.mailbox(name), await bus.space(name)];
  const invalid = (what: string, use: () => unknown): Attempt => attempt(what, "invalid", use);
  await refuses(scene, [
    invalid("a handler that is none", () => box.process("handler" as never)),
    invalid("no handler", () => box.process(undefined as never)),
    invalid("a backoff that is none", () => box.process(() => undefined, { backoff: 5 as never })),
    invalid("a service that is none", () => bus.serve(name, null as never)),
    invalid("a schema that is none", () => bus.subscribe(name, { schema: {} as never })),
    invalid("a schema of a mailbox", () => bus.mailbox(scene.name(), { schema: 5 as never })),
    invalid("overflow", () => bus.subscribe(name, { overflow: "drop" as never })),
    invalid("pick", () => bus.space(scene.name(), { pick: "any" as never })),
    invalid("whenFull", () => bus.space(scene.name(), { whenFull: "drop" as never })),
    invalid("from", () => log.subscribe({ durable: "d", from: "start" as never })),
    invalid("no durable", () => log.subscribe({} as never)),
    invalid("an eval that is none", () => space.eval(5 as never)),
    invalid("a list of nothing", () => bus.list("letters" as never)),
    invalid("a codec that is none", () => scene.connect({ codec: {} as never })),
    invalid("an id that is none", () => box.send(1, { id: 5 as never })),
    invalid("an empty id", () => box.send(1, { id: "" })),
    invalid("a key that is none", () => box.send(1, { key: {} as never })),
  ]);
  expect((await box.info()).waiting).toBe(0);
  await Promise.all([log.destroy(), box.destroy(), space.destroy()]);
}

async function urls(): Promise<void> {
  for (const url of ["", "nonsense", "://", "memory", 5, undefined, null]) {
    await rejection((async () => connect(url as string))(), "invalid");
  }
  for (const url of ["http://localhost", "amqp://localhost", "mem:"]) {
    const error = await rejection(connect(url), "unsupported", "invalid");
    expect(error.message).toContain("memory:");
  }
  const secret = "s3cr3t-w0rd";
  for (const url of [`http://user:${secret}@localhost`, `http://user:${secret}@local host:x`]) {
    const error = await rejection(connect(url), "unsupported", "invalid");
    expect(`${error.message}${String(error.cause ?? "")}`).not.toContain(secret);
  }
}

async function undefinedOptions(scene: Scene): Promise<void> {
  const { bus } = scene;
  const name = scene.name();
  const nothing = { headers: undefined, id: undefined, key: undefined, delayMs: undefined, ttlMs: undefined };
  await bus.publish(name, 1, { headers: undefined });
  const box = await bus.mailbox<number>(name, { leaseMs: undefined, maxAttempts: undefined, capacity: undefined });
  await box.send(1, nothing);
  await box.send(2, { ...nothing, unknown: 1 } as SendOptions);
  expect((await box.info()).waiting).toBe(2);
  const subscription = await bus.subscribe(name, { group: undefined, buffer: undefined, overflow: undefined });
  await subscription[Symbol.asyncDispose]();
  const space = await bus.space(name, { pick: undefined, capacity: undefined });
  await space.out(["t"], { leaseMs: undefined, timeoutMs: undefined, signal: undefined });
  expect(await space.in(["t"], { timeoutMs: undefined })).toEqual(["t"]);
  await Promise.all([box.destroy(), space.destroy()]);
}

export const badOptionClauses: readonly Clause[] = [
  clause("bad-option/durations", "what is no duration is invalid wherever one is given", durations),
  clause("bad-option/counts", "what is no count is invalid wherever one is given", counts),
  clause("bad-option/long", "durations beyond 2^31 ms and without end are what they say", longTimers),
  clause("bad-option/aborted", "with a signal aborted before nothing is done", signals),
  clause("bad-option/kinds", "handlers, services, schemas, codecs and choices are checked", wrongThings),
  clause("bad-option/urls", "a URL that names no driver is refused, and its password not repeated", urls),
  clause("bad-option/undefined", "undefined is as good as left out, and what is unknown is ignored", undefinedOptions),
];
