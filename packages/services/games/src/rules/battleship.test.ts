import fc from "fast-check";
import { expect, it } from "vitest";
import type { Seat } from "../game.ts";
import { decide, evolve, type Match, newMatch } from "../match.ts";
import {
  battleship,
  drawFleet,
  type Fleet,
  fleetLengths,
  type Salvo,
  type Seas,
  type SeasView,
  shipCells,
} from "./battleship.ts";

function after(match: Match<Seas>, move: unknown): Match<Seas> {
  const decision = decide(battleship, match, { kind: "move", seat: match.turn, move });
  if ("refused" in decision) throw new Error(`${decision.refused.code}: ${decision.refused.message}`);
  return decision.events.reduce((now, event) => evolve(battleship, now, event), match);
}

function refusal(match: Match<Seas>, move: unknown): string | undefined {
  const decision = decide(battleship, match, { kind: "move", seat: match.turn, move });
  return "refused" in decision ? decision.refused.code : undefined;
}

const cellOf = (at: number): Salvo => ({ x: at % 10, y: Math.floor(at / 10) });
const occupied = (fleet: Fleet): readonly number[] =>
  fleet.flatMap((ship, at) => shipCells(ship, fleetLengths[at] ?? 0));
const fleets = fc.integer().map(drawFleet);
const shuffledCells = fc.integer().chain((seed) =>
  fc
    .shuffledSubarray(
      Array.from({ length: 100 }, (_, at) => at),
      { minLength: 100 },
    )
    .map((all) => ({ seed, all })),
);

it("a drawn fleet lies within the waters, shares no cell, and is decided by its seed", () => {
  for (let seed = 0; seed < 500; seed++) {
    const fleet = drawFleet(seed);
    expect(refusal(newMatch(battleship, 1), { fleet })).toBeUndefined();
    expect(new Set(occupied(fleet)).size).toBe(17);
    expect(drawFleet(seed)).toEqual(fleet);
  }
  expect(new Set(Array.from({ length: 100 }, (_, seed) => JSON.stringify(drawFleet(seed)))).size).toBe(100);
});

it("ends with the last cell of the last ship, and never before", () => {
  fc.assert(
    fc.property(fleets, fleets, shuffledCells, (mine, theirs, { all }) => {
      let match = after(after(newMatch(battleship, 1), { fleet: mine }), { fleet: theirs });
      const goal = new Set(occupied(theirs));
      const inMine = new Set(occupied(mine));
      // Seat 1 shoots at what is empty as long as it can, so that seat 0 comes to its end.
      const harmless = all.filter((at) => !inMine.has(at));
      for (const [turn, at] of all.entries()) {
        match = after(match, cellOf(at));
        goal.delete(at);
        expect(match.ended).toEqual(goal.size === 0 ? { winner: 0 } : undefined);
        if (match.ended !== undefined) return;
        const answer = harmless[turn];
        if (answer === undefined) return;
        match = after(match, cellOf(answer));
      }
    }),
    { numRuns: 50 },
  );
});

/** A move as it is told to a seat, and what that seat then sees. */
function told(match: Match<Seas>, mover: Seat, move: Salvo, viewer: Seat | null): string {
  return JSON.stringify([battleship.moves.redact?.(move, mover, viewer), battleship.view(match.board, viewer)]);
}

it("what a seat or a spectator is told depends on nothing but what it may know", () => {
  let told0 = 0;
  fc.assert(
    fc.property(fleets, fleets, fleets, shuffledCells, shuffledCells, (mine, one, two, { all }, { all: replies }) => {
      // Two worlds that differ in the other's fleet, and shots that both worlds answer alike.
      let worlds = [one, two].map((theirs) => {
        const placed = after(newMatch(battleship, 1), { fleet: mine });
        return { theirs, match: after(placed, { fleet: theirs }) };
      });
      const tell = (mover: Seat, moves: readonly Salvo[], viewer: Seat | null): readonly string[] =>
        worlds.map(({ match }, world) => told(match, mover, moves[world] as Salvo, viewer));
      for (const viewer of [0, null] as const) {
        const [first, second] = tell(1, [{ fleet: one }, { fleet: two }], viewer);
        expect(first).toBe(second);
        // A seat sees its own fleet, which may stand where the other's does.
        if (viewer === null) expect(first).not.toContain(JSON.stringify(one[0]).slice(1, -1));
      }
      const open = new Set(all);
      for (const reply of replies) {
        if (worlds.some(({ match }) => match.ended !== undefined)) return;
        const next = [...open].find((at) => {
          const answers = worlds.map(({ match }) => {
            const later = after(match, cellOf(at));
            return JSON.stringify([later.ended, (battleship.view(later.board, null) as SeasView)[1]]);
          });
          return answers[0] === answers[1];
        });
        if (next === undefined) break;
        open.delete(next);
        for (const [mover, at] of [
          [0, next],
          [1, reply],
        ] as const) {
          if (worlds.some(({ match }) => match.ended !== undefined)) return;
          worlds = worlds.map(({ theirs, match }) => ({ theirs, match: after(match, cellOf(at)) }));
          for (const viewer of [0, null] as const) {
            const [first, second] = tell(mover, [cellOf(at), cellOf(at)], viewer);
            expect(first).toBe(second);
          }
          told0 += 1;
        }
      }
      // And the owner does see it.
      const own = worlds.map(({ match }) => JSON.stringify(battleship.view(match.board, 1)));
      if (JSON.stringify(one) !== JSON.stringify(two)) expect(own[0]).not.toBe(own[1]);
    }),
    { numRuns: 30 },
  );
  // Not a test of nothing: worlds stay alike for many shots.
  expect(told0).toBeGreaterThan(500);
});

it("a spectator sees neither fleet, a seat its own, all see hits, misses and what has sunk", () => {
  const lines: Fleet = fleetLengths.map((_, y) => ({ x: 0, y, down: false }));
  let match = after(after(newMatch(battleship, 1), { fleet: lines }), { fleet: lines });
  match = after(match, { x: 0, y: 4 });
  match = after(match, { x: 9, y: 9 });
  match = after(match, { x: 1, y: 4 });
  const seen = ([0, 1, null] as const).map((seat) => battleship.view(match.board, seat) as SeasView);
  for (const view of seen) {
    expect(view[1].shots).toEqual([
      { x: 0, y: 4, hit: true },
      { x: 1, y: 4, hit: true },
    ]);
    expect(view[1].sunk).toEqual([{ x: 0, y: 4, down: false, length: 2 }]);
    expect(view[0].shots).toEqual([{ x: 9, y: 9, hit: false }]);
  }
  expect(seen.map((view) => view.map(({ fleet }) => fleet !== null))).toEqual([
    [true, false],
    [false, true],
    [false, false],
  ]);
});

it("says which rule a move breaks", () => {
  const fleet = drawFleet(1);
  const start = newMatch(battleship, 1);
  expect(refusal(start, { x: 0, y: 0 })).toBe("NOT_PLACED");
  expect(refusal(start, { fleet: fleet.slice(1) })).toBe("MALFORMED");
  expect(refusal(start, { fleet: fleet.with(0, { x: 0.5, y: 0, down: true }) })).toBe("MALFORMED");
  expect(refusal(start, { fleet: fleet.with(0, { x: 6, y: 0, down: false }) })).toBe("OUT_OF_RANGE");
  expect(refusal(start, { fleet: fleet.with(0, { x: -1, y: 0, down: false }) })).toBe("OUT_OF_RANGE");
  expect(refusal(start, { fleet: fleetLengths.map(() => ({ x: 0, y: 0, down: false })) })).toBe("OCCUPIED");
  const begun = after(after(start, { fleet }), { fleet });
  expect(refusal(begun, { fleet })).toBe("ALREADY_PLACED");
  for (const at of [
    { x: 10, y: 0 },
    { x: 0, y: -1 },
  ])
    expect(refusal(begun, at)).toBe("OUT_OF_RANGE");
  for (const at of [null, {}, { x: "1", y: 1 }, { x: 1 }, 3]) expect(refusal(begun, at)).toBe("MALFORMED");
  const shot = after(after(begun, { x: 3, y: 3 }), { x: 3, y: 3 });
  expect(refusal(shot, { x: 3, y: 3 })).toBe("OCCUPIED");
});
