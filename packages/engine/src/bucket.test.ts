import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bucket, bucketMaker } from "./bucket.ts";
import { Place, Resident } from "./resident.ts";

function resident(seq: number): Resident {
  const made = new Resident("a0:");
  made.seq = seq;
  return made;
}

function searched(bucket: Bucket): number[] {
  const seen: number[] = [];
  bucket.search(({ seq }) => {
    seen.push(seq);
    return false;
  });
  return seen;
}

describe.each(["oldest", "newest"] as const)("a bucket that shows the %s first", (pick) => {
  test("keeps the order of age while tuples leave and come back anywhere", () => {
    const step = fc.record({ kind: fc.constantFrom("add", "leave", "leave", "return"), which: fc.nat(1000) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 100, maxLength: 400, size: "max" }), (steps) => {
        const bucket = bucketMaker(pick, Math.random)(undefined);
        const inside: Place[] = [];
        const outside: Place[] = [];
        let seq = 0;
        const add = (): void => {
          const place = new Place(resident(++seq), bucket, undefined);
          bucket.append(place);
          inside.push(place);
        };
        for (let i = 0; i < 150; i++) add();
        for (const { kind, which } of steps) {
          if (kind === "add") add();
          else if (kind === "leave" && inside.length > 0) {
            const [place] = inside.splice(which % inside.length, 1);
            bucket.remove(place!);
            outside.push(place!);
          } else if (kind === "return" && outside.length > 0) {
            const [left] = outside.splice(which % outside.length, 1);
            const place = new Place(left!.resident, bucket, undefined);
            bucket.restore(place);
            inside.push(place);
          }
        }
        const expected = inside.map((place) => place.resident.seq).sort((a, b) => a - b);
        const each: number[] = [];
        bucket.each((one) => each.push(one.seq));
        expect(each).toEqual(expected);
        expect(searched(bucket)).toEqual(pick === "oldest" ? expected : expected.reverse());
        expect(bucket.size).toBe(inside.length);
        for (const place of inside) bucket.remove(place);
        expect(searched(bucket)).toEqual([]);
        expect(bucket.size).toBe(0);
      }),
    );
  });
});

test("a bucket that shows tuples at random shows all of them, and each once where each is asked for", () => {
  const bucket = bucketMaker("random", Math.random)(undefined);
  const places = Array.from({ length: 100 }, (_, i) => new Place(resident(i), bucket, undefined));
  for (const place of places) bucket.append(place);
  for (const place of places.slice(0, 50)) bucket.remove(place);
  for (const place of places.slice(0, 25)) bucket.restore(place);
  const expected = places.filter((_, i) => i < 25 || i >= 50).map((place) => place.resident.seq);
  const each: number[] = [];
  bucket.each(({ seq }) => each.push(seq));
  expect(each.sort((a, b) => a - b)).toEqual(expected);
  expect([...new Set(searched(bucket))].sort((a, b) => a - b)).toEqual(expected);
  expect(bucket.size).toBe(75);
});

test("a bucket that shows tuples at random shows none of them twice in one search", () => {
  const bucket = bucketMaker("random", Math.random)(undefined);
  for (let seq = 0; seq < 100; seq++) bucket.append(new Place(resident(seq), bucket, undefined));
  for (let round = 0; round < 20; round++) {
    const seen = searched(bucket);
    expect(new Set(seen).size).toBe(seen.length);
  }
});
