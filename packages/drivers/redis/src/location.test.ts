import type { DriverOptions } from "@quadrant/contract";
import { expect, test } from "vitest";
import { locationOf } from "./location.ts";

const options = (more: Partial<DriverOptions> = {}): DriverOptions => ({
  name: "test",
  timeoutMs: 1,
  requestTimeoutMs: 1,
  maxPayloadBytes: 1,
  outboxBytes: 1,
  ...more,
});

test("user, password, database and server stand in the URL", () => {
  expect(locationOf(new URL("redis://me:s%40crt@host:7000/3?require=durable"), options())).toMatchObject({
    kind: "single",
    servers: [{ host: "host", port: 7_000 }],
    database: 3,
    user: "me",
    password: "s@crt",
    tls: undefined,
    requiresDurable: true,
  });
});

test("a lone word is a password, and ports have their usual numbers", () => {
  expect(locationOf(new URL("rediss://secret@host"), options())).toMatchObject({
    servers: [{ host: "host", port: 6_379 }],
    user: undefined,
    password: "secret",
    tls: {},
  });
  const sentinels = options({ hosts: ["a", "b:1", "[::1]:2"] });
  expect(locationOf(new URL("redis+sentinel://a/mymaster?sentinelPassword=p"), sentinels)).toMatchObject({
    kind: "sentinel",
    servers: [
      { host: "a", port: 26_379 },
      { host: "b", port: 1 },
      { host: "::1", port: 2 },
    ],
    master: "mymaster",
    sentinelPassword: "p",
  });
});

test("credentials of another kind are unsupported", () => {
  const auth = { nkeySeed: "SU" };
  expect(() => locationOf(new URL("redis://host"), options({ auth }))).toThrow(
    expect.objectContaining({ code: "unsupported" }),
  );
});
