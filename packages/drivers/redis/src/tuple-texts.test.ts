import { any, encodeTemplate, encodeTuple, type Field, oneOf, prefix } from "@quadrant/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromServer, toServer } from "./tuple-texts.ts";

const { field } = fc.letrec<{ field: Field }>((tie) => ({
  field: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.bigInt(),
    fc.string({ unit: "grapheme" }),
    fc.uint8Array(),
    fc.array(tie("field"), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: "grapheme", maxLength: 5 }), tie("field"), { maxKeys: 4 }),
  ),
}));

test("a tuple's text is the same after the server", () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 6 }), (tuple) => {
      const text = encodeTuple(tuple);
      expect(fromServer(Buffer.from(toServer(text)))).toBe(text);
    }),
  );
});

test("lengths are of bytes there", () => {
  expect(toServer(encodeTuple(["ß"]))).toBe("a1:3:sß");
  expect(toServer(encodeTuple({ ß: ["🎉"] }))).toBe("o1:2:ß10:a1:5:s🎉");
  expect(toServer(encodeTemplate(["ß", any, prefix("ß"), oneOf("ß", 1)]))).toBe("A4:3:sß1:?3:pß12:e2:3:sß2:n1");
});

test("a text that only looks like a composite is left alone", () => {
  const text = encodeTuple(["a1:3:sß"]);
  expect(fromServer(Buffer.from(toServer(text)))).toBe(text);
});
