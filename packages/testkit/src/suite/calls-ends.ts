import { callContext } from "@quadrant/bus";
import type { ServeOptions } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { eventually, type Gate, gate, guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

/** A service whose `wait` goes on until its caller gives up or the gate opens. */
class Patient {
  readonly finish: Gate = gate();
  readonly #started: number[] = [];
  readonly #aborted: number[] = [];

  get started(): readonly number[] {
    return this.#started;
  }
  get aborted(): readonly number[] {
    return this.#aborted;
  }
  /** What is served: the methods alone. */
  get service(): { wait(n: number): Promise<number>; quick(n: number): number } {
    return {
      wait: async (n) => {
        const { signal } = callContext()!;
        this.#started.push(n);
        signal.addEventListener("abort", () => this.#aborted.push(n), { once: true });
        await this.finish.opened;
        return n;
      },
      quick: (n) => n,
    };
  }
}

interface Served {
  readonly address: string;
  readonly patient: Patient;
}

async function serve(scene: Scene, options: ServeOptions = {}): Promise<Served> {
  const address = scene.name();
  const patient = new Patient();
  scene.own(await scene.bus.serve(address, patient.service, options));
  // Before the server's dispose, which waits for what runs.
  scene.own({ [Symbol.asyncDispose]: async () => patient.finish.open() });
  return { address, patient };
}

async function timesOut(scene: Scene): Promise<void> {
  const { address, patient } = await serve(scene);
  const stub = scene.other.client<Patient["service"]>(address, { timeoutMs: 300 });
  expect((await rejection(stub.wait(1), "timeout")).retryable).toBe(true);
  await eventually("the server to hear of it", () => patient.aborted.includes(1));
  patient.finish.open();
  expect(await stub.$with({ timeoutMs: 30_000 }).quick(2)).toBe(2);
}

async function aborts(scene: Scene): Promise<void> {
  const { address, patient } = await serve(scene);
  const controller = new AbortController();
  const stub = scene.other.client<Patient["service"]>(address);
  const call = stub.$with({ signal: controller.signal, timeoutMs: 60_000 }).wait(1);
  await eventually("the call to start", () => patient.started.includes(1));
  controller.abort();
  await rejection(call, "aborted");
  await eventually("the server to hear of it", () => patient.aborted.includes(1));
  await rejection(stub.$with({ signal: controller.signal }).wait(2), "aborted");
  expect(await stub.quick(3)).toBe(3);
  expect(patient.started).toEqual([1]);
}

async function lateReplies(scene: Scene): Promise<void> {
  const { address, patient } = await serve(scene);
  const stub = scene.other.client<Patient["service"]>(address);
  const late = range(20).map((n) => stub.$with({ timeoutMs: 30 }).wait(n));
  for (const call of late) await rejection(call, "timeout");
  patient.finish.open();
  expect(await Promise.all(range(20).map((n) => stub.wait(100 + n)))).toEqual(range(20).map((n) => 100 + n));
}

async function waitingCallsAreDropped(scene: Scene): Promise<void> {
  const { address, patient } = await serve(scene, { concurrency: 1 });
  const passing = scene.name();
  const around = { pass: () => "passed" };
  scene.own(await scene.bus.serve(passing, around));
  const stub = scene.other.client<Patient["service"]>(address);
  const first = stub.$with({ timeoutMs: 60_000 }).wait(1);
  await eventually("the first to start", () => patient.started.includes(1));
  const controller = new AbortController();
  const second = stub.$with({ signal: controller.signal, timeoutMs: 60_000 }).wait(2);
  const third = stub.$with({ timeoutMs: 60_000 }).wait(3);
  controller.abort();
  await rejection(second, "aborted");
  // Behind the word that the call was given up, on the same way to the same server.
  expect(await scene.other.client<typeof around>(passing).pass()).toBe("passed");
  patient.finish.open();
  expect(await guard(first, "the first")).toBe(1);
  expect(await guard(third, "the third")).toBe(3);
  // An execution of a call that its caller gave up before it started would be one too many.
  expect(patient.started).toEqual([1, 3]);
}

async function serverGone(scene: Scene): Promise<void> {
  const address = scene.name();
  const serving = await scene.connect();
  const patient = new Patient();
  await serving.serve(address, patient.service);
  const stub = scene.other.client<Patient["service"]>(address, { timeoutMs: 60_000 });
  const call = stub.wait(1);
  await eventually("the call to start", () => patient.started.includes(1));
  await serving.close({ drainMs: 0 });
  await rejection(call, "indefinite");
  patient.finish.open();
  await rejection(stub.quick(1), "no-responder");
}

async function disposeFinishes(scene: Scene): Promise<void> {
  const address = scene.name();
  const patient = new Patient();
  const server = await scene.bus.serve(address, patient.service);
  const stub = scene.other.client<Patient["service"]>(address);
  const call = stub.wait(1);
  await eventually("the call to start", () => patient.started.includes(1));
  const disposing = server[Symbol.asyncDispose]();
  await eventually("the address to be free", async () => {
    const outcome = await stub.quick(1).then(
      () => "answered",
      (error: { code: string }) => error.code,
    );
    return outcome === "no-responder";
  });
  patient.finish.open();
  expect(await guard(call, "the running call")).toBe(1);
  await guard(disposing, "the dispose");
}

async function uncarriable(scene: Scene): Promise<void> {
  const address = scene.name();
  const service = { bad: () => 1n, take: (value: unknown) => value };
  const server = scene.own(await scene.bus.serve(address, service));
  const stub = scene.other.client<typeof service>(address);
  await rejection(stub.take(1n), "codec");
  expect(server.handled).toBe(0);
  await rejection(stub.bad(), "codec");
  expect(await stub.take(1)).toBe(1);
}

async function sentAtOnce(scene: Scene): Promise<void> {
  const address = scene.name();
  const seen: number[] = [];
  const service = {
    note(n: number) {
      seen.push(n);
      if (n === 2) throw new Error("nobody looks");
    },
  };
  scene.own(await scene.bus.serve(address, service));
  const stub = scene.other.client<typeof service>(address);
  for (const n of range(4)) void stub.note(n);
  await eventually("four calls that nobody awaits", () => seen.length === 4);
  expect(seen).toEqual(range(4));
  const failing = stub.note(2);
  await eventually("the fifth", () => seen.length === 5);
  // Awaited late: the error was kept for whoever asks, and was no unhandled rejection.
  await rejection(failing, "remote");
}

export const callEndClauses: readonly Clause[] = [
  clause("call-end/timeout", "a call ends by its timeout, and its server hears of it", timesOut),
  clause(
    "call-end/abort",
    "a call ends by its signal, and its server hears of it; one aborted before is not sent",
    aborts,
  ),
  clause("call-end/late-reply", "a reply that comes too late answers no other call", lateReplies),
  clause("call-end/given-up", "a call given up before it started is not executed", waitingCallsAreDropped),
  clause("call-end/server-gone", "a call whose server went away is indefinite, at once", serverGone),
  clause("call-end/dispose", "a server's dispose takes no more calls and finishes those that run", disposeFinishes),
  clause("call-end/codec", "what the codec cannot carry is codec, either way", uncarriable),
  clause("call-end/unawaited", "a call is sent at once, awaited or not", sentAtOnce),
];
