import fc from "fast-check";
import { expect, it } from "vitest";
import { seededRandom } from "../corpus/random.ts";
import { sortKeys } from "./key-sort.ts";

function sorted(keys: readonly Buffer[], order: "ascending" | "descending"): readonly number[] {
  const starts = new Uint32Array(keys.length);
  const ends = new Uint32Array(keys.length);
  let at = 0;
  for (const [place, key] of keys.entries()) {
    starts[place] = at;
    at += key.length;
    ends[place] = at;
  }
  const places = Uint32Array.from(keys.keys());
  sortKeys(places, { bytes: Buffer.concat(keys), starts, ends }, order);
  return [...places];
}

function expected(keys: readonly Buffer[], order: "ascending" | "descending"): readonly number[] {
  const sign = order === "ascending" ? 1 : -1;
  return [...keys.keys()].sort((a, b) => sign * Buffer.compare(keys[a]!, keys[b]!) || a - b);
}

it.each(["ascending", "descending"] as const)("sorts keys by their bytes, equal ones as they came: %s", (order) => {
  const key = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.array(fc.constantFrom(0, 1, 255), { maxLength: 14 }).map((each) => Uint8Array.from(each)),
    fc.string({ maxLength: 3 }).map((end) => Buffer.from(`https://www.example.org/${end}`)),
  );
  fc.assert(
    fc.property(fc.array(key, { maxLength: 300, size: "max" }), (given) => {
      const keys = given.map((each) => Buffer.from(each));
      expect(sorted(keys, order)).toEqual(expected(keys, order));
    }),
  );
});

it.each(["ascending", "descending"] as const)("many, of few different ones and of many: %s", (order) => {
  const random = seededRandom(7);
  for (const different of [3, 5_000, 1_000_000]) {
    const keys = Array.from({ length: 40_000 }, () => Buffer.from(`k${random() % different}`));
    // As one string: a comparison of so many elements takes far longer than sorting them.
    expect(sorted(keys, order).join() === expected(keys, order).join()).toBe(true);
  }
});
