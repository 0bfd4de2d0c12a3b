import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Incoming } from "./incoming.ts";
import { MessageReader } from "./message-reader.ts";

interface Read {
  readonly subscription: number;
  readonly subject: string;
  readonly reply: string;
  readonly headers: string | undefined;
  readonly body: string;
}

function reading() {
  const messages: Read[] = [];
  const lines: string[] = [];
  const control = { parse: (bytes: Uint8Array) => void lines.push(Buffer.from(bytes).toString("latin1")) };
  const reader = new MessageReader(control, (subscription, message: Incoming) => {
    const { subject, reply, headers, data } = message;
    messages.push({
      subscription,
      subject,
      reply,
      headers: headers?.toString("latin1"),
      body: data.toString("latin1"),
    });
  });
  return { reader, messages, lines };
}

function frameOf({ subscription, subject, reply, headers, body }: Read): string {
  const to = `${Buffer.from(subject).toString("latin1")} ${subscription}${reply === "" ? "" : ` ${reply}`}`;
  return headers === undefined
    ? `MSG ${to} ${body.length}\r\n${body}\r\n`
    : `HMSG ${to} ${headers.length} ${headers.length + body.length}\r\n${headers}${body}\r\n`;
}

const token = fc.stringMatching(/^[A-Za-z0-9_é-]{1,12}$/);
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join("."));
const latin = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const message: fc.Arbitrary<Read> = fc.record({
  subscription: fc.integer({ min: 1, max: 1_000_000 }),
  subject,
  reply: fc.oneof(fc.constant(""), fc.stringMatching(/^_INBOX\.[A-Z]{4}\.[0-9]{1,3}$/)),
  headers: fc.oneof(
    fc.constant(undefined),
    latin.map((value) => `NATS/1.0\r\nA: ${value.replaceAll(/[\r\n]/g, "")}\r\n\r\n`),
  ),
  body: latin,
});
const line = fc.constantFrom("PING\r\n", "PONG\r\n", "+OK\r\n", "-ERR 'Permissions Violation'\r\n", 'INFO {"a":1}\r\n');

describe("the reader of messages", () => {
  it("reads the same, however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(message, line)),
        fc.infiniteStream(fc.integer({ min: 1, max: 64 })),
        (sent, cuts) => {
          const { reader, messages, lines } = reading();
          const bytes = Buffer.from(
            sent.map((each) => (typeof each === "string" ? each : frameOf(each))).join(""),
            "latin1",
          );
          for (let at = 0; at < bytes.length; ) {
            const length = cuts.next().value!;
            reader.parse(bytes.subarray(at, at + length));
            at += length;
          }
          expect(messages).toEqual(sent.filter((each) => typeof each !== "string"));
          expect(lines).toEqual(sent.filter((each) => typeof each === "string"));
        },
      ),
    );
  });

  it("reads the number at the end of a subject", () => {
    const numbers: number[] = [];
    const reader = new MessageReader({ parse: () => undefined }, (_, { lastToken }) => void numbers.push(lastToken));
    for (const name of ["_INBOX.a.1", "_INBOX.a.907", "_INBOX.a.0", "_INBOX.a.b1", "_INBOX.a.", "12"])
      reader.parse(Buffer.from(`MSG ${name} 1 0\r\n\r\n`));
    expect(numbers).toEqual([1, 907, 0, Number.NaN, Number.NaN, Number.NaN]);
  });

  it("begins anew with another connection", () => {
    const { reader, messages, lines } = reading();
    reader.parse(Buffer.from("MSG half 1 100\r\nnot all of it"));
    reader.restart({ parse: (bytes) => void lines.push(`new ${Buffer.from(bytes).toString()}`) });
    reader.parse(Buffer.from("PONG\r\nMSG whole 1 2\r\nok\r\n"));
    expect(lines).toEqual(["new PONG\r\n"]);
    expect(messages.map(({ subject }) => subject)).toEqual(["whole"]);
  });

  it.each(["MSG a\r\n", "MSG a b 1\r\n", "MSG a 1 x\r\n", "HMSG a 1 9 3\r\n", "MSG a 1 b c 5\r\n", "HMSG a 1 2\r\n"])(
    "refuses %j",
    (text) => {
      const { reader, messages } = reading();
      expect(() => reader.parse(Buffer.from(`${text}hello hello\r\n`))).toThrow("is no message");
      expect(messages).toEqual([]);
    },
  );

  it("holds no message beyond the server's own bound", () => {
    const { reader } = reading();
    expect(() => reader.parse(Buffer.from("MSG a 1 67108865\r\n"))).toThrow("67108864 bytes at once");
    const endless = reading().reader;
    expect(() => {
      for (let sent = 0; sent < 40; sent++) endless.parse(Buffer.alloc(32_768, "I"));
    }).toThrow("1048576 bytes at once");
  });
});
