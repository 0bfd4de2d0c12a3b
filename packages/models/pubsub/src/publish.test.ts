import { Bodies, BusError, bytes, type Context, type Envelope, inTraceOf, json } from "@quadrant/contract";
import { beforeEach, expect, test } from "vitest";
import { publish } from "./publish.ts";

let published: Envelope[];
let state: "open" | "closed";
let answer: Promise<void> | undefined;
let support: Context["driver"]["support"];

function context(codec: Bodies["codec"] = json): Context {
  const topics: Context["driver"]["topics"] = {
    publish: (envelope) => {
      published.push(envelope);
      return answer;
    },
    subscribe: () => Promise.reject(new Error("not here")),
  };
  return {
    driver: { name: "memory", support, topics } as unknown as Context["driver"],
    bodies: new Bodies(codec, [], 1_000),
    requestTimeoutMs: 5_000,
    assertOpen: () => {
      if (state === "closed") throw new BusError("closed", "the bus is closed");
    },
    assertIntake: () => undefined,
    track: () => () => undefined,
    report: () => undefined,
  };
}

beforeEach(() => {
  published = [];
  state = "open";
  answer = undefined;
  support = {};
});

test("a message goes to the driver in the turn of the call, as the codec carries it", async () => {
  const done = publish(context(), "orders.new", { n: 1 }, { headers: { h: "1" } });
  expect(published).toHaveLength(1);
  const { subject, headers, contentType, body } = published[0]!;
  expect([subject, headers, contentType]).toEqual(["orders.new", { h: "1" }, "application/json"]);
  expect(body).toEqual(Buffer.from('{"n":1}'));
  await expect(done).resolves.toBeUndefined();
  await publish(context(bytes), "raw", new Uint8Array([1, 2]));
  expect(published[1]).toMatchObject({ contentType: "application/octet-stream", body: new Uint8Array([1, 2]) });
});

test("it waits for the driver where that has no room", async () => {
  const room = Promise.withResolvers<void>();
  answer = room.promise;
  let taken = false;
  const done = publish(context(), "a", 1).then(() => {
    taken = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(taken).toBe(false);
  room.resolve();
  await done;
  answer = Promise.reject(new BusError("overflow", "nothing drained"));
  await expect(publish(context(), "a", 1)).rejects.toMatchObject({ code: "overflow" });
});

test("it carries the trace it is published in", async () => {
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  await inTraceOf({ traceparent }, () => publish(context(), "a", 1));
  expect(published[0]!.headers).toEqual({ traceparent });
});

test.each<readonly [string, unknown, unknown, object | undefined, string]>([
  ["an empty subject", "", 1, {}, "invalid"],
  ["a wildcard", "a.*", 1, {}, "invalid"],
  ["an empty token", "a..b", 1, {}, "invalid"],
  ["a line feed", "a\r\nPUB b", 1, {}, "invalid"],
  ["a reserved name", "$SYS.a", 1, {}, "invalid"],
  ["a number for a subject", 7, 1, {}, "invalid"],
  ["a bad header", "a", 1, { headers: { "a:b": "c" } }, "invalid"],
  ["a reserved header", "a", 1, { headers: { "quadrant-id": "c" } }, "invalid"],
  ["no value", "a", undefined, undefined, "codec"],
  ["a function", "a", () => 1, undefined, "codec"],
  ["a large body", "a", "x".repeat(1_000), undefined, "too-large"],
])("%s is refused and nothing is sent", async (_what, subject, data, options, code) => {
  await expect(publish(context(), subject as string, data, options)).rejects.toMatchObject({ code });
  expect(published).toEqual([]);
});

test("what the connection or the driver cannot do is said", async () => {
  support = { topics: { how: "refused", note: "not on this server" } };
  await expect(publish(context(), "a", 1)).rejects.toMatchObject({ code: "unsupported", message: /not on this/ });
  const without = { ...context(), driver: { name: "memory", support: {} } as unknown as Context["driver"] };
  await expect(publish(without, "a", 1)).rejects.toMatchObject({ code: "unsupported" });
  state = "closed";
  await expect(publish(context(), "a", 1)).rejects.toMatchObject({ code: "closed" });
});
