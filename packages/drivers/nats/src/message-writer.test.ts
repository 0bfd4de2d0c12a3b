import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { MessageWriter } from "./message-writer.ts";
import { EncodedHeaders } from "./wire-headers.ts";

function writing() {
  const writes: Buffer[] = [];
  const writer = new MessageWriter((bytes) => void writes.push(Buffer.from(bytes)));
  return { writer, writes, text: () => Buffer.concat(writes).toString("utf8") };
}

const body = (text: string): Uint8Array => Buffer.from(text);

describe("the writer of messages", () => {
  it("writes what is published in one turn at its end, in order", async () => {
    const { writer, writes, text } = writing();
    writer.publish("a.b", "", undefined, body("one"));
    await Promise.resolve();
    writer.publish("a.ü", "_INBOX.1", undefined, body(""));
    writer.publish("a.c", "", new EncodedHeaders(body("NATS/1.0\r\nA: b\r\n\r\n")), body("three"));
    expect(writes).toEqual([]);
    await turn();
    expect(writes.length).toBe(1);
    expect(text()).toBe(
      "PUB a.b 3\r\none\r\nPUB a.ü _INBOX.1 0\r\n\r\nHPUB a.c 18 23\r\nNATS/1.0\r\nA: b\r\n\r\nthree\r\n",
    );
  });

  it("writes at once when it is told to, and nothing twice", async () => {
    const { writer, writes, text } = writing();
    writer.publish("a", "", undefined, body("one"));
    expect(writer.size).toBe("PUB a 3\r\none\r\n".length);
    writer.flush();
    writer.flush();
    expect(writer.size).toBe(0);
    await turn();
    expect(writes.length).toBe(1);
    writer.publish("a", "", undefined, body("two"));
    await turn();
    expect(text()).toBe("PUB a 3\r\none\r\nPUB a 3\r\ntwo\r\n");
  });

  it("takes bodies of any size, and keeps a copy", async () => {
    const { writer, text } = writing();
    const large = Buffer.alloc(1_000_000, "x");
    const small = Buffer.from("small");
    writer.publish("a", "", undefined, small);
    writer.publish("b", "", undefined, large);
    writer.publish("c", "", undefined, small);
    const expected = `PUB a 5\r\nsmall\r\nPUB b 1000000\r\n${large.toString()}\r\nPUB c 5\r\nsmall\r\n`;
    small.fill("y");
    large.fill("y");
    await turn();
    expect(text()).toBe(expected);
  });

  it("does not wait for the end of the turn with more than a slab", () => {
    const { writer, writes } = writing();
    for (let index = 0; index < 1_000; index++) writer.publish("a", "", undefined, Buffer.alloc(128));
    expect(writes.length).toBeGreaterThan(0);
    expect(writer.size).toBeLessThan(65_536);
  });
});
