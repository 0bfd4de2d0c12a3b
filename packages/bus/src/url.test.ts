import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { maskText, maskUrl, parseUrl, schemeOf, secretsOf, splitHosts } from "./url.ts";

describe("the scheme", () => {
  it.each([
    ["memory:", "memory:"],
    ["memory:orders", "memory:"],
    ["ZMQ://127.0.0.1:1", "zmq:"],
    ["zmq+ipc:///tmp/x", "zmq+ipc:"],
    ["nats://a:1,b:2", "nats:"],
    ["redis+sentinel://a:1/main", "redis+sentinel:"],
  ])("of %s is %s", (url, scheme) => expect(schemeOf(url)).toBe(scheme));

  it("of a URL object is its protocol", () => expect(schemeOf(new URL("zmq://h:1"))).toBe("zmq:"));

  it.each([[""], ["memory"], ["//host"], ["127.0.0.1:4222"], [":x"], [" memory:"], [undefined], [null], [42], [{}]])(
    "of %j is invalid",
    (url) => expect(() => schemeOf(url)).toThrow(expect.objectContaining({ code: "invalid" })),
  );

  it("is asked for without showing what may be a password", () => {
    expect(() => schemeOf("//me:hunter2@host")).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  });
});

describe("a URL", () => {
  it.each([
    ["memory:", ""],
    ["memory:orders", "orders"],
    ["zmq+ipc:///tmp/a%20b", "/tmp/a%20b"],
    ["file:///var/lib/jobs", "/var/lib/jobs"],
    ["file:/var/../jobs?sync=off", "/jobs"],
  ])("%s is parsed with the path %j", (text, path) => expect(parseUrl(text).pathname).toBe(path));

  it.each([
    ["file:./data", "data", ""],
    ["file:data/jobs?sync=normal", "data/jobs", "?sync=normal"],
    ["FILE:a:b", "a:b", ""],
    ["file:with%20space", "with%20space", ""],
  ])("%s is relative to the working directory", (text, path, search) => {
    const parsed = parseUrl(text);
    expect(parsed.href).toBe(`${pathToFileURL(process.cwd()).href}/${path}${search}`);
    expect(parsed.search).toBe(search);
  });

  it.each([["file:"], ["file:?sync=full"], ["file:#x"]])("%s names no folder", (text) => {
    expect(() => parseUrl(text)).toThrow(expect.objectContaining({ code: "invalid" }));
  });

  it("is copied", () => {
    const given = new URL("zmq://h:1");
    const parsed = parseUrl(given);
    given.host = "other:2";
    expect(parsed.host).toBe("h:1");
  });

  it("that is none is invalid, its password hidden", () => {
    expect(() => parseUrl("zmq://me:hun@ter2@host:port")).toThrow(
      expect.objectContaining({ code: "invalid", message: expect.not.stringMatching(/hun|ter2/) }),
    );
  });

  it.each([
    ["zmq://h:1", "zmq://h:1"],
    ["zmq://me:hunter2@h:1/x?a=1#f", "zmq://me:***@h:1/x?a=1#f"],
    ["redis://:hunter2@h:1", "redis://:***@h:1"],
    ["nats://s3cr3t@h:1", "nats://***@h:1"],
    ["redis://me:a%40b%2F@h:1/0", "redis://me:***@h:1/0"],
    ["redis://h:1?password=x&db=1", "redis://h:1?password=***&db=1"],
    ["memory:orders", "memory:orders"],
    ["zmq+ipc:///tmp/x?curveSecret=abc#y", "zmq+ipc:///tmp/x?curveSecret=***#y"],
  ])("%s is shown as %s", (url, shown) => expect(maskUrl(url)).toBe(shown));

  it("that cannot be parsed is masked all the same", () => {
    expect(maskUrl("nats://me:hunter2@a:1,b:2")).not.toContain("hunter2");
    expect(maskText("x".repeat(1_000)).length).toBeLessThan(300);
  });

  it("gives its secrets as written and as meant", () => {
    expect(secretsOf(new URL("redis://me:a%40b@h:1?token=t0ken&db=1"))).toEqual(
      expect.arrayContaining(["a%40b", "a@b", "t0ken"]),
    );
    expect(secretsOf(new URL("nats://tok@h:1"))).toContain("tok");
    expect(secretsOf(new URL("zmq://h:1?a=b"))).toEqual([]);
  });
});

describe("the servers", () => {
  it.each([
    ["memory:orders", "memory:orders", []],
    ["zmq+ipc:///tmp/x", "zmq+ipc:///tmp/x", []],
    ["zmq://h:1", "zmq://h:1", ["h:1"]],
    ["zmq://h:1/a,b?c=d,e", "zmq://h:1/a,b?c=d,e", ["h:1"]],
    ["nats://a:1,b:2", "nats://a:1", ["a:1", "b:2"]],
    ["nats://me:pass@a:1,b,[::1]:3/?replicas=3", "nats://me:pass@a:1/?replicas=3", ["a:1", "b", "[::1]:3"]],
    ["nats://a:1,nats://b:2", "nats://a:1", ["a:1", "b:2"]],
    ["nats://me:x@a:1,nats://me:x@b:2?owner=never", "nats://me:x@a:1?owner=never", ["a:1", "b:2"]],
    ["redis+sentinel://a:1,b:2/main", "redis+sentinel://a:1/main", ["a:1", "b:2"]],
  ])("of %s", (url, first, hosts) => expect(splitHosts(url)).toEqual({ url: first, hosts }));

  it.each([
    ["nats://a:1,,b:2"],
    ["nats://a:1,"],
    ["nats://me:hunter2@a:1,nats://you:hunter2@b:2"],
    ["nats://me:hunter2@a:1,you:hunter2@b:2"],
    ["nats://a:1,tls://b:2"],
  ])("of %s make no sense", (url) => {
    expect(() => splitHosts(url)).toThrow(
      expect.objectContaining({ code: "invalid", message: expect.not.stringContaining("hunter2") }),
    );
  });
});
