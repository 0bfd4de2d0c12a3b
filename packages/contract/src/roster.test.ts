import fc from "fast-check";
import { expect, test } from "vitest";
import { Roster, type Seated } from "./roster.ts";

test("has what a set would have, whatever comes and goes", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("add", "delete", "clear"), fc.nat(9))), (steps) => {
      const items: Seated[] = Array.from({ length: 10 }, () => ({}));
      const roster = new Roster<Seated>();
      const set = new Set<Seated>();
      for (const [step, index] of steps) {
        const item = items[index]!;
        if (step === "add") {
          roster.add(item);
          set.add(item);
        } else if (step === "delete") expect(roster.delete(item)).toBe(set.delete(item));
        else {
          roster.clear();
          set.clear();
        }
        expect(roster.size).toBe(set.size);
        expect(new Set(roster)).toEqual(set);
        for (const each of items) expect(roster.has(each)).toBe(set.has(each));
      }
    }),
  );
});

test("is iterated as it was when the iteration began", () => {
  const roster = new Roster<Seated>();
  const [a, b] = [{}, {}];
  roster.add(a);
  roster.add(b);
  const seen: Seated[] = [];
  for (const item of roster) {
    seen.push(item);
    roster.clear();
  }
  expect(seen).toEqual([a, b]);
});
