import { matchesSubject, matchVectors } from "@quadrant/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SubjectTrie } from "./trie.ts";

function matched(trie: SubjectTrie<string>, subject: string): string[] {
  const found: string[] = [];
  trie.match(subject, (value) => found.push(value));
  return found.sort();
}

test.each(matchVectors)("$pattern on $subject: $matches", ({ pattern, subject, matches }) => {
  const trie = new SubjectTrie<string>();
  trie.add(pattern, "it");
  expect(matched(trie, subject)).toEqual(matches ? ["it"] : []);
});

const token = fc.constantFrom("a", "b", "ab", "__proto__", "ß");
const subject = fc.array(token, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join("."));
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant("*")), { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([tokens, rest]) => (rest ? [...tokens.slice(0, -1), ">"] : tokens).join("."));

test("finds what a naive matcher finds, while patterns come and go, and is empty after the last", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("add" as const), pattern, value: fc.constantFrom("1", "2", "3") }),
    fc.record({ kind: fc.constant("remove" as const), pattern, value: fc.constantFrom("1", "2", "3") }),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80, size: "max" }),
      fc.array(subject, { minLength: 1, maxLength: 10 }),
      (steps, subjects) => {
        const trie = new SubjectTrie<string>();
        const naive = new Map<string, Set<string>>();
        for (const { kind, pattern: wanted, value } of steps) {
          const values = naive.get(wanted) ?? new Set();
          naive.set(wanted, values);
          if (kind === "add") {
            expect(trie.add(wanted, value)).toBe(!values.has(value));
            values.add(value);
          } else expect(trie.remove(wanted, value)).toBe(values.delete(value));
        }
        for (const each of subjects) {
          const expected = [...naive].flatMap(([wanted, values]) => (matchesSubject(wanted, each) ? [...values] : []));
          expect(matched(trie, each)).toEqual(expected.sort());
        }
        expect(trie.size).toBe([...naive.values()].reduce((size, values) => size + values.size, 0));
        for (const [wanted, values] of naive) for (const value of values) trie.remove(wanted, value);
        expect(trie.size).toBe(0);
        for (const each of subjects) expect(matched(trie, each)).toEqual([]);
      },
    ),
  );
});

test("nothing of a pattern stays behind after its removal", () => {
  const trie = new SubjectTrie<string>();
  trie.add("a.b.c", "kept");
  for (let i = 0; i < 1000; i++) {
    trie.add(`a.b.${i}.*.>`, "gone");
    trie.remove(`a.b.${i}.*.>`, "gone");
  }
  expect(trie.remove("a.b", "kept")).toBe(false);
  expect(trie.remove("a.b.c.d", "kept")).toBe(false);
  expect(trie.size).toBe(1);
  expect(matched(trie, "a.b.c")).toEqual(["kept"]);
});
