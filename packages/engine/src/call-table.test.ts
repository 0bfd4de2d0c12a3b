import type { CallRequest, InboundCall, ReplyFrame, ReplySink } from "@quadrant/contract";
import { describe, expect, test } from "vitest";
import type { Engine } from "./engine.ts";
import type { EngineSession } from "./session.ts";
import { startTrial } from "./trial.ts";

const request = (address: string, credit: number = 0): CallRequest => ({
  address,
  method: "m",
  headers: {},
  contentType: "",
  body: new Uint8Array(),
  timeoutMs: 1000,
  credit,
});

const frame = (kind: ReplyFrame["kind"]): ReplyFrame => ({ kind, contentType: "", body: new Uint8Array() });

/** What a caller hears, as a list of words. */
function listener(): ReplySink & { readonly heard: string[] } {
  const heard: string[] = [];
  return { heard, reply: ({ kind }) => void heard.push(kind), fail: ({ code }) => void heard.push(code) };
}

/** Everything that can happen now has happened. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

async function serve(session: EngineSession, instance: string, address: string = "calc") {
  const calls: InboundCall[] = [];
  const controls: string[] = [];
  const spec = { address, instance, methods: ["m"], version: "1" };
  const registration = await session.calls.serve(spec, (call) => {
    calls.push(call);
    call.onControl({
      credit: (items) => void controls.push(`credit ${items}`),
      cancel: () => void controls.push("cancel"),
    });
  });
  return { calls, controls, registration };
}

const counts = (engine: Engine) => {
  const { calls, interests } = engine.describe() as { calls: Record<string, number>; interests: number };
  return { ...calls, interests };
};

describe("a call", () => {
  test("reaches the servers of its address in turn, across sessions, and is answered", async () => {
    const { engine, session } = startTrial();
    const one = await serve(engine.connect(), "one");
    const two = await serve(engine.connect(), "two");
    const callers = Array.from({ length: 4 }, () => {
      const caller = listener();
      session.calls.call(request("calc"), caller);
      // Nothing is heard before the caller has what `call` returns.
      expect(caller.heard).toEqual([]);
      return caller;
    });
    await settle();
    expect([one.calls.length, two.calls.length]).toEqual([2, 2]);
    for (const call of [...one.calls, ...two.calls]) call.reply(frame("value"));
    expect(callers.map(({ heard }) => heard)).toEqual(Array(4).fill(["value"]));
    expect(counts(engine)).toEqual({ servers: 2, inFlight: 0, interests: 2 });
  });

  test("to an address that nobody serves fails at once", async () => {
    const { engine, session } = startTrial();
    const caller = listener();
    session.calls.call(request("nobody"), caller);
    await settle();
    expect(caller.heard).toEqual(["no-responder"]);
    const { registration } = await serve(session, "gone");
    await registration.close();
    session.calls.call(request("calc"), caller);
    await settle();
    expect(caller.heard).toEqual(["no-responder", "no-responder"]);
    expect(await session.calls.services()).toEqual([]);
    await registration.close();
    expect(counts(engine)).toEqual({ servers: 0, inFlight: 0, interests: 0 });
  });

  test("streams items, grants credit, and is over with its last frame", async () => {
    const { session } = startTrial();
    const { calls, controls } = await serve(session, "one");
    const caller = listener();
    const call = session.calls.call(request("calc", 2), caller);
    await settle();
    const [inbound] = calls;
    inbound!.reply(frame("item"));
    call.credit(3);
    inbound!.reply(frame("item"));
    inbound!.reply(frame("end"));
    inbound!.reply(frame("item"));
    call.credit(1);
    call.cancel();
    expect(caller.heard).toEqual(["item", "item", "end"]);
    expect(controls).toEqual(["credit 3"]);
  });

  test("that is cancelled tells the server, and no frame comes any more", async () => {
    const { engine, session } = startTrial();
    const { calls, controls } = await serve(session, "one");
    const caller = listener();
    const call = session.calls.call(request("calc"), caller);
    const early = session.calls.call(request("calc"), caller);
    early.cancel();
    await settle();
    expect(calls).toHaveLength(1);
    call.cancel();
    call.cancel();
    calls[0]!.reply(frame("value"));
    expect(controls).toEqual(["cancel"]);
    expect(caller.heard).toEqual([]);
    expect(counts(engine)).toEqual({ servers: 1, inFlight: 0, interests: 1 });
  });

  test("in flight to a server whose session ends is indefinite; one that only stops serving finishes it", async () => {
    const { engine, session } = startTrial();
    const vanishing = engine.connect();
    const stopping = engine.connect();
    const [gone, stopped] = [await serve(vanishing, "gone", "x"), await serve(stopping, "stopped", "y")];
    const [a, b] = [listener(), listener()];
    session.calls.call(request("x"), a);
    session.calls.call(request("y"), b);
    await settle();
    vanishing.abandon();
    gone.calls[0]!.reply(frame("value"));
    await stopped.registration.close();
    stopped.calls[0]!.reply(frame("value"));
    expect(a.heard).toEqual(["indefinite"]);
    expect(b.heard).toEqual(["value"]);
  });

  test("of a session that ends is cancelled at the server", async () => {
    const { engine, session } = startTrial();
    const { calls, controls } = await serve(session, "one");
    const caller = engine.connect();
    const heard = listener();
    caller.calls.call(request("calc"), heard);
    await settle();
    caller.close();
    expect(controls).toEqual(["cancel"]);
    expect(heard.heard).toEqual(["closed"]);
    calls[0]!.reply(frame("value"));
    caller.calls.call(request("calc"), heard);
    await settle();
    expect(heard.heard).toEqual(["closed", "closed"]);
    expect(calls).toHaveLength(1);
  });

  test("that a server refuses goes to another, and to nobody twice", async () => {
    const { engine, session } = startTrial();
    const servers = [await serve(session, "one"), await serve(session, "two")];
    const caller = listener();
    session.calls.call(request("calc"), caller);
    await settle();
    const first = servers.findIndex(({ calls }) => calls.length === 1);
    const [refusing, other] = [servers[first]!, servers[1 - first]!];
    refusing.calls[0]!.refuse();
    expect(other.calls).toHaveLength(1);
    refusing.calls[0]!.reply(frame("value"));
    expect(caller.heard).toEqual([]);
    expect(counts(engine)).toEqual({ servers: 2, inFlight: 1, interests: 4 });
    other.calls[0]!.refuse();
    expect(caller.heard).toEqual(["no-responder"]);
    expect(refusing.calls).toHaveLength(1);
    expect(counts(engine)).toEqual({ servers: 2, inFlight: 0, interests: 2 });
  });
});

test("the turn of an address is kept when a server before it leaves, and found when the last leaves", async () => {
  const { session } = startTrial();
  const servers = [await serve(session, "0"), await serve(session, "1"), await serve(session, "2")];
  const call = async (): Promise<void> => {
    session.calls.call(request("calc"), listener());
    await settle();
  };
  const taken = (): number[] => servers.map(({ calls }) => calls.length);
  await call();
  await call();
  await servers[0]!.registration.close();
  await call();
  expect(taken()).toEqual([1, 1, 1]);
  await servers[2]!.registration.close();
  await call();
  expect(taken()).toEqual([1, 2, 1]);
});

test("the directory tells who serves what, and how it went", async () => {
  const { clock, engine, session } = startTrial();
  const { calls } = await serve(session, "one");
  await serve(session, "idle", "another");
  const outbound = Array.from({ length: 4 }, () => session.calls.call(request("calc"), listener()));
  await settle();
  clock.advance(10);
  calls[0]!.reply(frame("value"));
  clock.advance(10);
  calls[1]!.reply(frame("end"));
  clock.advance(10);
  calls[2]!.reply(frame("error"));
  // Given up by the caller: it did not succeed.
  clock.advance(20);
  outbound[3]!.cancel();
  expect(await session.calls.services()).toEqual([
    { address: "another", instance: "idle", methods: ["m"], version: "1", handled: 0, failed: 0, meanMs: 0 },
    { address: "calc", instance: "one", methods: ["m"], version: "1", handled: 4, failed: 2, meanMs: 27.5 },
  ]);
  expect(counts(engine)).toEqual({ servers: 2, inFlight: 0, interests: 2 });
});
