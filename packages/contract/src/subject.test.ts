import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkName, checkPattern, checkToken, matchesSubject, maxNameBytes } from "./subject.ts";
import { invalidPatterns, matchVectors, wildcardPatterns } from "./subject-vectors.ts";

const invalid: unknown = expect.objectContaining({ code: "invalid" });

describe("names and patterns", () => {
  test.each(matchVectors)("$pattern against $subject: $matches", ({ pattern, subject, matches }) => {
    checkPattern("pattern", pattern);
    checkName("subject", subject);
    expect(matchesSubject(pattern, subject)).toBe(matches);
  });

  test.each(invalidPatterns.map((pattern) => [pattern]))("%j is neither name nor pattern", (pattern) => {
    expect(() => checkPattern("pattern", pattern)).toThrow(invalid);
    expect(() => checkName("subject", pattern)).toThrow(invalid);
    expect(() => checkToken("group", pattern)).toThrow(invalid);
  });

  test.each(wildcardPatterns.map((pattern) => [pattern]))("%j is a pattern, no name", (pattern) => {
    checkPattern("pattern", pattern);
    expect(() => checkName("subject", pattern)).toThrow(invalid);
  });

  test("what is no string is invalid", () => {
    for (const value of [undefined, null, 1, {}, ["a"], Symbol("a")]) {
      expect(() => checkName("address", value)).toThrow(invalid);
    }
  });

  test("a token has no dots", () => {
    checkToken("space", "tasks");
    expect(() => checkToken("space", "a.b")).toThrow(invalid);
  });

  test("bytes are counted, not characters", () => {
    checkName("subject", "a".repeat(maxNameBytes));
    expect(() => checkName("subject", "a".repeat(maxNameBytes + 1))).toThrow(invalid);
    checkName("subject", "ß".repeat(127));
    expect(() => checkName("subject", "ß".repeat(128))).toThrow(invalid);
  });

  test("no string of any kind passes with a character that a broker could take for more than a letter", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary", maxLength: 20 }), fc.string({ unit: "grapheme", maxLength: 20 })),
        (text) => {
          try {
            checkPattern("pattern", text);
          } catch (error) {
            expect(error).toEqual(invalid);
            return;
          }
          expect(text).not.toMatch(/[\s\p{Cc}\p{Z}]/u);
          expect(text.isWellFormed()).toBe(true);
          expect(text.split(".")).not.toContain("");
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxNameBytes);
        },
      ),
      { numRuns: 20_000 },
    );
  });

  test("every subject matches itself, `>`, and itself with any token replaced by `*`", () => {
    const subject = fc.array(fc.stringMatching(/^[a-c]{1,2}$/), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(subject, fc.nat(), (tokens, at) => {
        const name = tokens.join(".");
        expect(matchesSubject(name, name)).toBe(true);
        expect(matchesSubject(">", name)).toBe(true);
        expect(matchesSubject(tokens.with(at % tokens.length, "*").join("."), name)).toBe(true);
        expect(matchesSubject(`${name}.>`, name)).toBe(false);
        expect(matchesSubject(`${name}.*`, name)).toBe(false);
      }),
    );
  });
});
