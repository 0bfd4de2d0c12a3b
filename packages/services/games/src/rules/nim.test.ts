import { expect, it } from "vitest";
import { perfectNim, winningTakings } from "../bots/nim.ts";
import { decide, evolve, type Match, newMatch } from "../match.ts";
import { chance } from "./chance.ts";
import { type Heaps, nim } from "./nim.ts";

/** By trying everything, knowing no theory: whether who is to move can win. */
function solver(misere: boolean): (heaps: Heaps) => boolean {
  const known = new Map<string, boolean>();
  const wins = (heaps: Heaps): boolean => {
    const key = [...heaps].sort().join();
    const before = known.get(key);
    if (before !== undefined) return before;
    let result = misere && heaps.every((lying) => lying === 0);
    for (const [heap, lying] of heaps.entries()) {
      for (let left = 0; left < lying && !result; left++) result = !wins(heaps.with(heap, left));
    }
    known.set(key, result);
    return result;
  };
  return wins;
}

it.each([false, true])(
  "misère %s: the theory's moves are those that win, for all heaps up to four of five",
  (misere) => {
    const wins = solver(misere);
    for (let code = 1; code < 6 ** 4; code++) {
      const heaps = [code % 6, Math.floor(code / 6) % 6, Math.floor(code / 36) % 6, Math.floor(code / 216)];
      const winning = heaps.flatMap((lying, heap) =>
        Array.from({ length: lying }, (_, less) => ({ heap, take: less + 1 })).filter(
          ({ take }) => !wins(heaps.with(heap, lying - take)),
        ),
      );
      expect(winningTakings(heaps, misere)).toEqual(winning);
      expect(winning.length > 0).toBe(wins(heaps));
    }
  },
);

it.each([false, true])(
  "misère %s: perfect play wins from every seed that can be won, whatever the other does",
  (misere) => {
    const game = nim({ misere });
    const strategy = perfectNim(misere);
    let lost = 0;
    for (let seed = 0; seed < 300; seed++) {
      const random = chance(seed);
      let match: Match<Heaps> = newMatch(game, seed);
      const winnable = winningTakings(match.board, misere).length > 0;
      lost += winnable ? 0 : 1;
      const perfect = winnable ? 0 : 1;
      while (match.ended === undefined) {
        const { board, turn } = match;
        const heap = board.findIndex((lying) => lying > 0);
        const any = { heap, take: 1 + Math.floor(random() * (board[heap] ?? 1)) };
        const move = turn === perfect ? strategy(game.view(board, turn), turn, random) : any;
        const decision = decide(game, match, { kind: "move", seat: turn, move });
        if ("refused" in decision) throw new Error(decision.refused.message);
        match = decision.events.reduce((now, event) => evolve(game, now, event), match);
      }
      expect(match.ended).toEqual({ winner: perfect });
    }
    expect(lost).toBeGreaterThan(0);
  },
);

it("the seed alone decides the heaps, and different seeds differ", () => {
  const game = nim();
  const drawn = Array.from({ length: 100 }, (_, seed) => game.setup(seed));
  expect(drawn).toEqual(Array.from({ length: 100 }, (_, seed) => game.setup(seed)));
  expect(new Set(drawn.map((heaps) => heaps.join())).size).toBeGreaterThan(90);
  for (const heaps of drawn)
    expect(heaps.length >= 3 && heaps.length <= 5 && heaps.every((n) => n > 0 && n < 10)).toBe(true);
});

it("says which rule a taking breaks", () => {
  const match = newMatch(nim({ heaps: [3, 1] }), 1);
  const refusal = (move: unknown): string | undefined => {
    const decision = decide(nim({ heaps: [3, 1] }), match, { kind: "move", seat: 0, move });
    return "refused" in decision ? decision.refused.code : undefined;
  };
  expect(refusal({ heap: 0, take: 4 })).toBe("TOO_MANY");
  expect(refusal({ heap: 2, take: 1 })).toBe("OUT_OF_RANGE");
  expect(refusal({ heap: -1, take: 1 })).toBe("OUT_OF_RANGE");
  expect(refusal({ heap: 0, take: 0 })).toBe("OUT_OF_RANGE");
  expect(refusal({ heap: 0, take: "1" })).toBe("MALFORMED");
  expect(refusal({ heap: 0 })).toBe("MALFORMED");
  expect(refusal({ heap: 1, take: 1 })).toBeUndefined();
  for (const heaps of [[], [0], [1.5], [100]]) expect(() => nim({ heaps })).toThrow(RangeError);
});
