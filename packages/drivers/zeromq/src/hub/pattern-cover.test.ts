import { matchesSubject } from "@quadrant/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { coversPattern } from "./pattern-cover.ts";

// Few tokens and short names: so patterns and subjects meet often, and three letters stand for "any other token", too.
const token = fc.constantFrom("a", "b", "c");
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join("."));
const pattern = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "*"), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([tokens, open]) => [...tokens, ...(open ? [">"] : [])].join("."));

const letters = ["a", "b", "c"];
/** Every subject of one to five tokens. */
const subjects: readonly string[] = (() => {
  let longest = letters;
  const all = [...longest];
  for (let length = 2; length <= 5; length++) {
    longest = longest.flatMap((each) => letters.map((letter) => `${each}.${letter}`));
    all.push(...longest);
  }
  return all;
})();

test("a pattern covers another exactly where the matcher agrees for every subject", () => {
  fc.assert(
    fc.property(fc.oneof(pattern, fc.constant(">")), fc.oneof(pattern, fc.constant(">")), (allowed, wanted) => {
      const all = subjects.every((each) => !matchesSubject(wanted, each) || matchesSubject(allowed, each));
      expect(coversPattern(allowed, wanted)).toBe(all);
    }),
    { numRuns: 2_000 },
  );
});

test("of a literal covering is matching", () => {
  fc.assert(
    fc.property(pattern, subject, (allowed, name) => {
      expect(coversPattern(allowed, name)).toBe(matchesSubject(allowed, name));
    }),
  );
});
