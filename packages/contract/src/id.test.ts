import { expect, test } from "vitest";
import { checkId } from "./id.ts";

test.each(["a", "order 7", "größe", "x".repeat(255), "😀"])("%j is an id", (id) => {
  expect(checkId("id", id)).toBeUndefined();
});

test.each(["", "a\r\nb", "a\u0000", "\ud800", "x".repeat(256), "ß".repeat(128), 7, null])("%j is no id", (id) => {
  expect(() => checkId("key", id as string)).toThrow(expect.objectContaining({ code: "invalid" }));
});
