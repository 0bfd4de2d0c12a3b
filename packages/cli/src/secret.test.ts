import { describe, expect, test } from "vitest";
import { Secrets } from "./secret.ts";

const none = new Secrets([]);

describe("by shape", () => {
  test.each([
    ["zmq://anna:hunter2@host:7227", "zmq://anna:***@host:7227"],
    ["redis://:hunter2@host", "redis://:***@host"],
    ["nats://hunter2@host", "nats://***@host"],
    ["zmq://anna:hun@ter2@host", "zmq://anna:***@host"],
    ["zmq:anna:hunter2@host", "zmq:anna:***@host"],
    ["zmq:/anna:hunter2@host:x", "zmq:/anna:***@host:x"],
    ["anna:hunter2@host", "anna:***@host"],
    ["zmq://anna:hunter2/x@host", "zmq://anna:***@host"],
    ["nats://a:hunter2@h1,nats://a:hunter2@h2", "nats://a:***@h2"],
    ["redis://host?password=hunter2&db=1", "redis://host?password=***&db=1"],
    ["cannot reach zmq://anna:hunter2@host: refused", "cannot reach zmq://anna:***@host: refused"],
    ["'zmq://anna:hunter2@host'", "'zmq://anna:***@host'"],
  ])("%s", (text, masked) => {
    expect(none.mask(text)).toBe(masked);
  });

  test.each(["subscribed to orders.>", "zmq://127.0.0.1:7227", "at 12:30 someone@example.org wrote", "memory:"])(
    "leaves %s alone",
    (text) => {
      expect(none.mask(text)).toBe(text);
    },
  );
});

describe("by content", () => {
  test("wherever the password of a URL comes back, encoded or not", () => {
    const secrets = new Secrets(["zmq://anna:pass%20word@host"]);
    for (const text of ["password was pass%20word", "password was pass word", JSON.stringify({ p: "pass word" })]) {
      expect(secrets.mask(text)).not.toMatch(/pass(%20| )word/);
    }
  });

  test("of a URL with blanks, which no shape finds", () => {
    const secrets = new Secrets(["zmq://anna:my secret word@host"]);
    expect(secrets.mask("no URL: zmq://anna:my secret word@host")).not.toContain("secret");
  });

  test("also a percent sign that encodes nothing, and a lone surrogate", () => {
    const secrets = new Secrets(["zmq://anna:100%secret\ud800@host"]);
    expect(secrets.mask("100%secret\ud800")).toBe("***");
  });
});

test("a long text is masked in time, and its end never shows half a URL", () => {
  const secrets = new Secrets([]);
  for (const text of [
    "a".repeat(1_000_000),
    "a:".repeat(500_000),
    `${"x ".repeat(2_040)}zmq://anna:hunter2secret@host`,
  ]) {
    const masked = secrets.mask(text);
    expect(masked.length).toBeLessThanOrEqual(4_100);
    expect(masked).not.toContain("hunter2");
  }
});
