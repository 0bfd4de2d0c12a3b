import { bytes, type ConnectOptions, json } from "@quadrant/contract";
import { describe, expect, it } from "vitest";
import { msgpack } from "./msgpack.ts";
import { settingsOf } from "./options.ts";

const encode = (): Uint8Array => new Uint8Array();
const decode = (): number => 1;

describe("options of connect", () => {
  it("have the documented defaults, also where they are undefined", () => {
    const expected = {
      codec: json,
      driver: {
        name: expect.stringMatching(/./),
        timeoutMs: 5_000,
        requestTimeoutMs: 5_000,
        maxPayloadBytes: 8_388_608,
        outboxBytes: 67_108_864,
      },
    };
    expect(settingsOf(undefined)).toMatchObject(expected);
    expect(settingsOf({})).toMatchObject(expected);
    expect(settingsOf({ name: undefined, codec: undefined, timeoutMs: undefined, auth: undefined })).toMatchObject(
      expected,
    );
  });

  it.each<[ConnectOptions]>([
    [{ codec: bytes }],
    [{ codec: msgpack }],
    [{ codec: { contentType: "application/vnd.x+json; v=1", encode, decode } }],
    [{ timeoutMs: 0 }],
    [{ timeoutMs: Number.POSITIVE_INFINITY, requestTimeoutMs: 2 ** 40 }],
    [{ auth: { user: "me", password: "p" } }],
    [{ auth: { curve: { serverKey: "a", publicKey: "b", secretKey: "c" } } }],
    [{ tls: { ca: "x" } }],
    [{ name: "billing ü" }],
  ])("%j are taken", (options) => expect(() => settingsOf(options)).not.toThrow());

  it.each([
    [null],
    ["memory:"],
    [{ name: "" }],
    [{ name: "a\nb" }],
    [{ name: "x".repeat(256) }],
    [{ timeoutMs: -1 }],
    [{ timeoutMs: Number.NaN }],
    [{ timeoutMs: "5" }],
    [{ requestTimeoutMs: 0 }],
    [{ maxPayloadBytes: 0 }],
    [{ maxPayloadBytes: 1.5 }],
    [{ outboxBytes: -1 }],
    [{ codec: null }],
    [{ codec: "json" }],
    [{ codec: { contentType: "a\r\nb", encode, decode } }],
    [{ codec: { contentType: "", encode, decode } }],
    [{ codec: { contentType: "a/b", encode: 1, decode } }],
    [{ auth: {} }],
    [{ auth: null }],
    [{ auth: { user: "me" } }],
    [{ auth: { token: 5 } }],
    [{ auth: { curve: { serverKey: "a" } } }],
    [{ tls: "x" }],
    [{ tls: { ca: 5 } }],
    [{ signal: {} }],
  ])("%j are invalid", (options) =>
    expect(() => settingsOf(options as ConnectOptions)).toThrow(expect.objectContaining({ code: "invalid" })),
  );

  it("are not quoted where they may hold a secret", () => {
    expect(() => settingsOf({ auth: { passwort: "hunter2" } } as never)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  });
});
