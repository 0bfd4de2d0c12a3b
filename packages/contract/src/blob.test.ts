import { expect, it } from "vitest";
import { checkBlobName, checkBlobPrefix } from "./blob.ts";

const refused = (check: () => void): unknown => {
  try {
    check();
    return undefined;
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
};

it("a blob's name is up to 255 bytes without control characters, separators of lines and lone surrogates", () => {
  const good = ["a", " ", "a/b", "/", "..", "a*>$", "ß".repeat(127), "🎉", "\u00a0", "\ufffe", "x".repeat(255)];
  for (const name of good)
    expect(
      refused(() => checkBlobName(name)),
      name,
    ).toBeUndefined();
  const bad: unknown[] = ["", "\n", "a\u0000", "\u007f", "\u009f", "\u2028", "\u2029", "\ud800a", "a\udc00"];
  for (const name of [...bad, "x".repeat(256), "ß".repeat(128), 1, null, undefined, ["a"]]) {
    expect(
      refused(() => checkBlobName(name)),
      String(name),
    ).toBe("invalid");
  }
});

it("a prefix is what a name is, and may be empty", () => {
  expect(refused(() => checkBlobPrefix(""))).toBeUndefined();
  for (const prefix of [undefined, null, 5, "\n", "x".repeat(256)]) {
    expect(refused(() => checkBlobPrefix(prefix))).toBe("invalid");
  }
});
