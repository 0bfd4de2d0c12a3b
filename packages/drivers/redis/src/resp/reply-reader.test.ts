import fc from "fast-check";
import { expect, test } from "vitest";
import { CommandWriter } from "./command-writer.ts";
import { type Reply, ReplyError, ReplyReader } from "./reply-reader.ts";

/** What a reader makes of bytes that come in pieces of these sizes. */
function read(bytes: Buffer, sizes: readonly number[]): Reply[] {
  const replies: Reply[] = [];
  const reader = new ReplyReader((reply) => replies.push(reply));
  let at = 0;
  for (let piece = 0; at < bytes.length; piece++) {
    const size = sizes.length === 0 ? bytes.length : sizes[piece % sizes.length]!;
    reader.feed(bytes.subarray(at, at + size));
    at += size;
  }
  return replies;
}

function encode(reply: Reply): string {
  if (reply === null) return "$-1\r\n";
  if (typeof reply === "number") return `:${reply}\r\n`;
  if (typeof reply === "string") return `+${reply}\r\n`;
  if (reply instanceof ReplyError) return `-${reply.message}\r\n`;
  if (Buffer.isBuffer(reply)) return `$${reply.length}\r\n${reply.toString("latin1")}\r\n`;
  return `*${reply.length}\r\n${reply.map(encode).join("")}`;
}

const word = fc.stringMatching(/^[A-Za-z ]{0,12}$/);
const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.integer(),
    word,
    word.map((text) => new ReplyError(text)),
    fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie("reply"), { maxLength: 5 }),
  ),
}));

test("replies are the same in pieces of any size", () => {
  fc.assert(
    fc.property(
      fc.array(reply, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 5 }),
      (replies, sizes) => {
        const bytes = Buffer.from(replies.map(encode).join(""), "latin1");
        expect(read(bytes, sizes)).toEqual(replies);
      },
    ),
  );
});

test("a command is read back as it was written, however long its arguments", () => {
  const argument = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc.uint8Array({ maxLength: 9_000 }),
    fc.integer(),
  );
  fc.assert(
    fc.property(fc.array(fc.array(argument, { minLength: 1, maxLength: 6 }), { maxLength: 6 }), (commands) => {
      const writer = new CommandWriter();
      for (const command of commands) writer.command(command);
      const expected = commands.map((command) =>
        command.map((each) => (typeof each === "object" ? Buffer.from(each) : Buffer.from(String(each)))),
      );
      expect(read(writer.take(), [])).toEqual(expected);
      expect(writer.size).toBe(0);
    }),
  );
});

test("what is no reply throws", () => {
  const reader = new ReplyReader(() => expect.fail("it was taken for a reply"));
  expect(() => reader.feed(Buffer.from("HTTP/1.1 400 Bad Request\r\n"))).toThrow(/reply/);
});
