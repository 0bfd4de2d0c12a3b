import fc from "fast-check";
import { expect, it } from "vitest";
import { Ratings } from "./rating.ts";

it("moves known ratings by known amounts", () => {
  const ratings = new Ratings();
  ratings.record("nim", "ann", "bob", 1);
  expect(ratings.top("nim", 10).map(({ name, rating }) => [name, rating])).toEqual([
    ["ann", 1_216],
    ["bob", 1_184],
  ]);
  ratings.record("nim", "ann", "bob", 0.5);
  // Expected of ann: 1 / (1 + 10^(-32/400)) = 0.5459.
  expect(ratings.player("ann")[0]?.rating).toBeCloseTo(1_216 + 32 * (0.5 - 0.545_921_7), 3);
  expect(ratings.player("ann")).toMatchObject([{ game: "nim", played: 2, won: 1, lost: 0, drawn: 1 }]);
  expect(ratings.player("bob")).toMatchObject([{ game: "nim", won: 0, lost: 1, drawn: 1 }]);
  ratings.record("nim", "ann", "ann", 1);
  expect(ratings.player("ann")).toMatchObject([{ won: 1 }]);
  expect(ratings.player("constructor")).toEqual([]);
  expect(ratings.top("chess", 10)).toEqual([]);
});

it("gives away what it takes, and counts each result once for each side", () => {
  const name = fc.constantFrom("a", "b", "c", "__proto__");
  const result = fc.tuple(name, name, fc.constantFrom(0 as const, 0.5 as const, 1 as const));
  fc.assert(
    fc.property(fc.array(result), (results) => {
      const ratings = new Ratings();
      for (const [first, second, score] of results) ratings.record("nim", first, second, score);
      const top = ratings.top("nim", 100);
      expect(top.reduce((sum, { rating }) => sum + rating - 1_200, 0)).toBeCloseTo(0, 6);
      const rated = results.filter(([first, second]) => first !== second).length;
      expect(top.reduce((sum, { won, lost, drawn }) => sum + won + lost + drawn, 0)).toBe(rated * 2);
      expect(top.reduce((sum, { played }) => sum + played, 0)).toBe(rated * 2);
      expect(top.map(({ rating }) => rating)).toEqual(top.map(({ rating }) => rating).sort((a, b) => b - a));
    }),
  );
});
