import fc from "fast-check";
import { expect, it } from "vitest";
import type { Seat } from "./game.ts";
import { type Command, decide, evolve, type Match, newMatch } from "./match.ts";
import { type Grid, ticTacToe } from "./tic-tac-toe.ts";

const game = ticTacToe();

function after(match: Match<Grid>, command: Command, rules = game): Match<Grid> {
  const decision = decide(rules, match, command);
  if ("refused" in decision) throw new Error(decision.refused.code);
  return decision.events.reduce((now, event) => evolve(rules, now, event), match);
}

function refusal(match: Match<Grid>, command: Command): string | undefined {
  const decision = decide(game, match, command);
  return "refused" in decision ? decision.refused.code : undefined;
}

const move = (seat: Seat, x: unknown, y: unknown): Command => ({ kind: "move", seat, move: { x, y } });

it("plays every game of Tic-Tac-Toe to its known end", () => {
  const totals = { x: 0, o: 0, draws: 0 };
  const positions = new Set<string>();
  const play = (match: Match<Grid>): void => {
    positions.add(match.board.join());
    if (match.ended !== undefined) {
      totals[match.ended.winner === null ? "draws" : match.ended.winner === 0 ? "x" : "o"] += 1;
      return;
    }
    for (let at = 0; at < 9; at++) {
      if (match.board[at] === null) play(after(match, move(match.turn, at % 3, Math.floor(at / 3))));
    }
  };
  play(newMatch(game, 1));
  expect(totals).toEqual({ x: 131_184, o: 77_904, draws: 46_080 });
  expect(positions.size).toBe(5_478);
});

it("says which rule a refused command breaks", () => {
  const begun = after(newMatch(game, 1), move(0, 1, 1));
  expect(refusal(begun, move(0, 0, 0))).toBe("NOT_YOUR_TURN");
  expect(refusal(begun, move(1, 1, 1))).toBe("OCCUPIED");
  expect(refusal(begun, move(1, 3, 0))).toBe("OUT_OF_RANGE");
  for (const x of [1.5, "1", null, Number.NaN, undefined]) expect(refusal(begun, move(1, x, 0))).toBe("MALFORMED");
  expect(refusal(begun, { kind: "move", seat: 1, move: { x: 0, y: 0 }, expectedVersion: 0 })).toBe("CONFLICT");
  expect(refusal(begun, { kind: "accept-draw", seat: 1 })).toBe("NO_OFFER");
  const resigned = after(begun, { kind: "resign", seat: 0 });
  expect(resigned.ended).toEqual({ winner: 1 });
  expect(refusal(resigned, move(1, 0, 0))).toBe("MATCH_OVER");
});

it("a draw needs the other seat's standing offer", () => {
  const offered = after(newMatch(game, 1), { kind: "offer-draw", seat: 0 });
  expect(refusal(offered, { kind: "accept-draw", seat: 0 })).toBe("NO_OFFER");
  expect(after(offered, { kind: "accept-draw", seat: 1 }).ended).toEqual({ winner: null });
  expect(refusal(after(offered, move(0, 0, 0)), { kind: "accept-draw", seat: 1 })).toBe("NO_OFFER");
});

it("four in a row win on five by five, and no line goes round the edge", () => {
  const wide = ticTacToe(5, 4);
  let match = newMatch(wide, 1);
  for (const x of [0, 1, 2]) match = after(after(match, move(0, x, 0), wide), move(1, x, 4), wide);
  expect(match.ended).toBeUndefined();
  expect(after(match, move(0, 3, 0), wide).ended).toEqual({ winner: 0 });
  const round: Grid = Array.from({ length: 25 }, (_, at) => (at >= 3 && at <= 6 ? 0 : null));
  expect(wide.outcome(round, 0)).toBeUndefined();
});

it("whatever is sent, seats alternate, cells are taken once, and nothing follows the end", () => {
  const seat = fc.constantFrom<Seat>(0, 1);
  const cell = fc.record({ x: fc.integer({ min: -1, max: 3 }), y: fc.integer({ min: -1, max: 3 }) });
  const command: fc.Arbitrary<Command> = fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({ kind: fc.constant("move" as const), seat, move: fc.oneof(cell, fc.anything()) }),
    },
    fc.record({ kind: fc.constantFrom("resign" as const, "offer-draw" as const, "accept-draw" as const), seat }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      let match = newMatch(game, 1);
      let moves = 0;
      for (const sent of commands) {
        const before = structuredClone(match);
        const decision = decide(game, match, sent);
        expect(match).toEqual(before);
        if ("refused" in decision) continue;
        expect(match.ended).toBeUndefined();
        for (const event of decision.events) {
          if (event.kind === "moved") expect(event.seat).toBe(moves++ % 2);
          match = evolve(game, match, event);
        }
        expect(match.board.filter((held) => held !== null).length).toBe(moves);
      }
    }),
  );
});
