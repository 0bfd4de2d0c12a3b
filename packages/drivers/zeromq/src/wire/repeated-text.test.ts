import fc from "fast-check";
import { expect, test } from "vitest";
import { repeatedText } from "./repeated-text.ts";

test("reads what the decoder reads, however often and in whatever order", () => {
  const text = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: "binary", maxLength: 40 }));
  const malformed = fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes));
  const bytes = fc.oneof(
    text.map((each) => Buffer.from(each)),
    malformed,
    fc.constantFrom("orders.new", "orders.old", "örders", "\xf6rders").map((each) => Buffer.from(each)),
    fc.constant(Buffer.from("\xf6rders", "latin1")),
  );
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 20 }), fc.nat({ max: 3 }), (all, before) => {
      for (const each of [...all, ...all]) {
        const around = Buffer.concat([Buffer.alloc(before, 0x61), each, Buffer.from("zz")]);
        expect(repeatedText(around, before, before + each.length)).toBe(each.toString());
      }
    }),
    { numRuns: 300 },
  );
});

test("what was read before is the same string", () => {
  const [first, again] = [Buffer.from("..orders.new"), Buffer.from("orders.new..")];
  expect(repeatedText(again, 0, 10)).toBe(repeatedText(first, 2, 12));
});
