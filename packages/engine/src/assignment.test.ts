import fc from "fast-check";
import { expect, it } from "vitest";
import { assign } from "./assignment.ts";
import { Resident } from "./resident.ts";

const residents = ["a", "b", "c", "d", "e"].map((text) => new Resident(text));

/** By trying every choice. */
function possible(candidates: readonly (readonly Resident[])[], used: ReadonlySet<Resident> = new Set()): boolean {
  const [first, ...others] = candidates;
  if (first === undefined) return true;
  return first.some((resident) => !used.has(resident) && possible(others, new Set([...used, resident])));
}

it("gives each one of its own candidates, none to two, wherever that can be", () => {
  const some = fc.subarray(residents).chain((list) => fc.shuffledSubarray(list, { minLength: list.length }));
  fc.assert(
    fc.property(fc.array(some, { maxLength: 6 }), (candidates) => {
      const chosen = assign(candidates);
      expect(chosen !== undefined).toBe(possible(candidates));
      if (chosen === undefined) return;
      expect(new Set(chosen).size).toBe(candidates.length);
      for (const [who, resident] of chosen.entries()) expect(candidates[who]).toContain(resident);
    }),
    { numRuns: 2_000 },
  );
});

it("takes the first candidates where nobody else needs them", () => {
  const [a, b, c] = residents;
  expect(
    assign([
      [a!, b!],
      [a!, b!, c!],
    ]),
  ).toEqual([a, b]);
  expect(assign([[a!, b!], [a!]])).toEqual([b, a]);
});
