import { callContext } from "@quadrant/bus";
import { inTraceOf } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { eventually, gate, guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

class Adder {
  add(a: number, b: number): number {
    return a + b;
  }
}

class Calculator extends Adder {
  readonly #factor = 2;
  async double(n: number): Promise<number> {
    return n * this.#factor;
  }
  nothing(): void {}
  echo(...args: unknown[]): unknown {
    return args;
  }
}

class NotFound extends Error {
  override readonly name = "NotFound";
  readonly code = "E_NOT_FOUND";
}

interface Failing {
  fails(): void;
  plain(): Promise<void>;
  text(): void;
}

async function typedStub(scene: Scene): Promise<void> {
  const address = `${scene.name()}.calc`;
  const server = scene.own(await scene.bus.serve(address, new Calculator()));
  expect(server.address).toBe(address);
  const calc = scene.other.client<Calculator>(address);
  expect(await calc.add(2, 3)).toBe(5);
  expect(await calc.double(21)).toBe(42);
  expect((await calc.nothing()) ?? undefined).toBeUndefined();
  const odd = [null, "größe 🎉", { a: [1, { b: true }] }, -0.5, [], {}];
  expect(await calc.echo(...odd)).toEqual(odd);
  expect(await calc.echo()).toEqual([]);
  expect(await Promise.all([calc.add(1, 1), calc.add(2, 2)])).toEqual([2, 4]);
  expect(server.handled).toBe(7);
}

async function noResponder(scene: Scene): Promise<void> {
  const address = scene.name();
  const calc = scene.other.client<Calculator>(address, { timeoutMs: 60_000 });
  expect((await rejection(calc.add(1, 2), "no-responder")).retryable).toBe(true);
  const server = await scene.bus.serve(address, new Calculator());
  expect(await calc.add(1, 2)).toBe(3);
  await server[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rejection(calc.add(1, 2), "no-responder");
}

async function remoteErrors(scene: Scene): Promise<void> {
  const address = scene.name();
  const service: Failing = {
    fails() {
      throw new NotFound("no such thing: größe");
    },
    async plain() {
      throw new RangeError("too far");
    },
    text() {
      throw "just a text";
    },
  };
  scene.own(await scene.bus.serve(address, service));
  const stub = scene.other.client<Failing>(address);
  expect((await rejection(stub.fails(), "remote")).remote).toEqual({
    name: "NotFound",
    message: "no such thing: größe",
    code: "E_NOT_FOUND",
  });
  const plain = (await rejection(stub.plain(), "remote")).remote;
  expect(plain).toMatchObject({ name: "RangeError", message: "too far" });
  expect(plain?.code).toBeUndefined();
  expect((await rejection(stub.text(), "remote")).remote?.message).toContain("just a text");
}

async function unknownMethod(scene: Scene): Promise<void> {
  const address = scene.name();
  scene.own(await scene.bus.serve(address, new Calculator()));
  const stub = scene.other.client<{ subtract(a: number, b: number): number }>(address);
  const error = await rejection(stub.subtract(1, 2), "invalid");
  expect(error.message).toContain("add");
  expect(await scene.other.client<Calculator>(address).add(1, 2)).toBe(3);
}

async function ownReplies(scene: Scene): Promise<void> {
  const address = scene.name();
  scene.own(await scene.bus.serve(address, new Calculator()));
  scene.own(await scene.other.serve(address, new Calculator()));
  const stubs = [scene.other, scene.bus].map((bus) => bus.client<Calculator>(address, { timeoutMs: 30_000 }));
  const results = await Promise.all(range(10_000).map((n) => stubs[n % 2]!.add(n, n)));
  expect(results).toEqual(range(10_000).map((n) => 2 * n));
}

async function sharedServers(scene: Scene): Promise<void> {
  const address = scene.name();
  const executed: string[] = [];
  const buses = [scene.bus, scene.other, scene.bus];
  const servers = await Promise.all(
    buses.map(async (bus, who) =>
      scene.own(await bus.serve(address, { run: (n: number) => executed.push(`${n}`) && who })),
    ),
  );
  const stub = scene.other.client<{ run(n: number): number }>(address);
  const by = await Promise.all(range(90).map((n) => stub.run(n)));
  expect(new Set(executed).size).toBe(90);
  expect(executed).toHaveLength(90);
  for (const who of range(3)) expect(by.filter((each) => each === who).length, `server ${who}`).toBeGreaterThan(0);
  expect(servers.reduce((sum, server) => sum + server.handled, 0)).toBe(90);
}

async function serverLeaves(scene: Scene): Promise<void> {
  const address = scene.name();
  const executed = new Map<number, number>();
  const service = {
    async run(n: number) {
      executed.set(n, (executed.get(n) ?? 0) + 1);
      await new Promise((resolve) => setImmediate(resolve));
      return n;
    },
  };
  scene.own(await scene.bus.serve(address, service));
  const stub = scene.other.client<typeof service>(address);
  let next = 0;
  for (const _ of range(5)) {
    const leaving = await scene.other.serve(address, service);
    const calls: Promise<number>[] = [];
    const call = (): void => void calls.push(stub.run(next++));
    for (const __ of range(40)) call();
    const left = leaving[Symbol.asyncDispose]();
    for (const __ of range(40)) call();
    const results = await guard(Promise.all(calls), "the calls");
    expect(results).toEqual(range(80).map((n) => next - 80 + n));
    await guard(left, "the dispose");
  }
  expect([...executed.values()].every((times) => times === 1)).toBe(true);
  expect(executed.size).toBe(next);
}

async function iterative(scene: Scene): Promise<void> {
  const address = scene.name();
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const service = {
    async run(n: number) {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      order.push(n);
    },
  };
  scene.own(await scene.bus.serve(address, service, { concurrency: 1 }));
  const stub = scene.other.client<typeof service>(address);
  await Promise.all(range(50).map((n) => stub.run(n)));
  expect(most).toBe(1);
  expect(order).toEqual(range(50));
}

async function atOnceByDefault(scene: Scene): Promise<void> {
  const address = scene.name();
  const all = gate();
  let running = 0;
  const service = {
    async run() {
      if (++running === 40) all.open();
      await all.opened;
    },
  };
  scene.own(await scene.bus.serve(address, service));
  const stub = scene.other.client<typeof service>(address);
  await guard(Promise.all(range(40).map(() => stub.run())), "40 calls that wait for each other");
}

async function context(scene: Scene): Promise<void> {
  const address = scene.name();
  const service = {
    look() {
      const { headers, address: at, method, deadline, signal } = callContext()!;
      return { headers, at, method, left: deadline.getTime() - Date.now(), aborted: signal.aborted };
    },
  };
  scene.own(await scene.bus.serve(address, service));
  expect(callContext()).toBeUndefined();
  const stub = scene.other.client<typeof service>(address, { timeoutMs: 30_000, headers: { h: "Größe" } });
  const seen = await stub.look();
  expect(seen).toMatchObject({ headers: { h: "Größe" }, at: address, method: "look", aborted: false });
  expect(seen.left).toBeGreaterThan(0);
  expect(seen.left).toBeLessThanOrEqual(30_100);
  const other = await stub.$with({ headers: { h: "2" }, timeoutMs: 90_000 }).look();
  expect(other.headers).toEqual({ h: "2" });
  expect(other.left).toBeGreaterThan(30_100);
  expect((await stub.look()).headers).toEqual({ h: "Größe" });
}

async function traces(scene: Scene): Promise<void> {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const [front, back] = [scene.name(), scene.name()];
  const backend = { headers: () => callContext()!.headers };
  scene.own(await scene.bus.serve(back, backend));
  const frontend = { pass: () => scene.bus.client<typeof backend>(back).headers() };
  scene.own(await scene.bus.serve(front, frontend));
  const stub = scene.other.client<typeof frontend>(front);
  expect(await inTraceOf({ traceparent }, () => stub.pass())).toMatchObject({ traceparent });
  expect(await stub.pass()).toEqual({});
}

async function stubsAreOrdinary(scene: Scene): Promise<void> {
  const address = scene.name();
  const server = scene.own(await scene.bus.serve(address, new Calculator()));
  const stub = await (async () => scene.other.client<Calculator>(address))();
  expect(await stub.add(1, 1)).toBe(2);
  expect(`${typeof stub}${JSON.stringify([{ n: 1 }])}`).toBe(`${typeof stub}[{"n":1}]`);
  expect((stub as unknown as { then: unknown }).then).toBeUndefined();
  for (const name of ["catch", "finally", "toJSON"])
    expect((stub as unknown as Record<string, unknown>)[name]).toBeUndefined();
  expect(String(stub)).not.toBe("");
  for (const name of ["then", "catch", "finally", "toJSON", "$with", "toString", "hasOwnProperty"]) {
    await rejection(scene.bus.serve(scene.name(), { [name]: () => 1 }), "invalid");
  }
  await rejection(scene.bus.serve(scene.name(), {}), "invalid");
  expect(server.handled).toBe(1);
}

async function directory(scene: Scene): Promise<void> {
  const address = scene.name();
  const first = scene.own(await scene.bus.serve(address, new Calculator(), { version: "1.2.3" }));
  const second = await scene.other.serve(address, new Calculator());
  const calc = scene.other.client<Calculator>(address);
  await Promise.all(range(20).map((n) => calc.add(n, n)));
  const found = await eventually("both servers' statistics", async () => {
    const all = (await scene.other.services()).filter((service) => service.address === address);
    return all.reduce((sum, service) => sum + service.handled, 0) === 20 && all;
  });
  expect(found.map((service) => service.instance).toSorted()).toEqual([first.instance, second.instance].toSorted());
  const described = found.find((service) => service.instance === first.instance);
  expect(described).toMatchObject({ address, version: "1.2.3", failed: 0 });
  expect(described?.methods.toSorted()).toEqual(["add", "double", "echo", "nothing"]);
  const failing = scene.name();
  scene.own(
    await scene.bus.serve(failing, {
      fails() {
        throw new NotFound("counted");
      },
    }),
  );
  await rejection(scene.other.client<{ fails(): void }>(failing).fails(), "remote");
  const counted = (await scene.other.services()).find((service) => service.address === failing);
  expect(counted).toMatchObject({ methods: ["fails"], failed: 1 });
  for (const service of found) expect(service.meanMs).toBeGreaterThanOrEqual(0);
  await second[Symbol.asyncDispose]();
  expect((await scene.bus.services()).filter((service) => service.address === address)).toHaveLength(1);
}

export const callClauses: readonly Clause[] = [
  clause("calls/stub", "every method can be called, its class's included, with what it takes and returns", typedStub),
  clause("calls/no-responder", "an address that nobody serves is no-responder, not a timeout", noResponder),
  clause("calls/remote", "what the far side threw keeps its name, message and code", remoteErrors),
  clause("calls/unknown-method", "an unknown method is invalid, and the message names those there are", unknownMethod),
  clause("calls/own-reply", "each of 10 000 concurrent calls gets its own reply", ownReplies),
  clause("calls/shared", "servers of one address share its calls, each executed once", sharedServers),
  clause("calls/leave", "a server that leaves fails no call: what it does not take goes to another", serverLeaves),
  clause("calls/iterative", "concurrency 1 runs calls one by one, in order", iterative),
  clause("calls/at-once", "by default calls run as they come", atOnceByDefault),
  clause("calls/context", "a method sees the caller's headers, its deadline, and what was called", context),
  clause("calls/trace", "the trace of a call is that of its caller, and goes on", traces),
  clause("calls/stubs", "a stub can be returned, printed and looked at without a call", stubsAreOrdinary),
  clause("calls/directory", "services lists who serves what, with statistics", directory),
];
