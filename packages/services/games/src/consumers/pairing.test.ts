import fc from "fast-check";
import { expect, it } from "vitest";
import { pairs, type Waiting } from "./pairing.ts";

const tolerance = { base: 100, perSecond: 50 };
const one = (ticket: string, rating: number, waitedMs = 0, kind = "tictactoe"): Waiting => ({
  ticket,
  rating,
  waitedMs,
  kind,
});
const tickets = (waiting: readonly Waiting[]): readonly string[] =>
  pairs(waiting, tolerance).map((pair) => pair.map(({ ticket }) => ticket).join());

it("takes the nearest rating within reach, and reaches further with time", () => {
  expect(tickets([one("a", 1200, 2), one("b", 1290, 1), one("c", 1250)])).toEqual(["a,c"]);
  expect(tickets([one("a", 1200), one("b", 1500)])).toEqual([]);
  expect(tickets([one("a", 1200, 3_900), one("b", 1500)])).toEqual([]);
  expect(tickets([one("a", 1200, 4_000), one("b", 1500)])).toEqual(["a,b"]);
  expect(tickets([one("a", 1200, 0, "nim"), one("b", 1200)])).toEqual([]);
});

it("pairs nobody twice, only those of a kind within reach, and leaves no two who would do", () => {
  const waiting = fc
    .array(
      fc.record({
        kind: fc.constantFrom("a", "b"),
        rating: fc.integer({ min: 800, max: 2_000 }),
        waitedMs: fc.nat(20_000),
      }),
      { maxLength: 40 },
    )
    .map((all) => all.map((each, at) => ({ ...each, ticket: `t${at}` })));
  fc.assert(
    fc.property(waiting, (all) => {
      const reach = (a: Waiting, b: Waiting): boolean =>
        a.kind === b.kind && Math.abs(a.rating - b.rating) <= 100 + (50 * Math.max(a.waitedMs, b.waitedMs)) / 1_000;
      const found = pairs(all, tolerance);
      const taken = found.flat().map(({ ticket }) => ticket);
      expect(new Set(taken).size).toBe(taken.length);
      for (const [a, b] of found) expect(reach(a, b)).toBe(true);
      const left = all.filter(({ ticket }) => !taken.includes(ticket));
      for (const a of left) for (const b of left) if (a !== b) expect(reach(a, b)).toBe(false);
    }),
  );
});
