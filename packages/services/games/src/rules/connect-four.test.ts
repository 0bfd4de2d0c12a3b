import fc from "fast-check";
import { expect, it } from "vitest";
import type { Seat } from "../game.ts";
import { decide, evolve, type Match, newMatch } from "../match.ts";
import { columns, connectFour, type Discs, rows } from "./connect-four.ts";

/** Written another way: discs as columns of letters, and the four directions searched in text. */
class Tray {
  readonly stacks: string[] = Array.from({ length: columns }, () => "");
  drop(column: number, seat: Seat): boolean {
    const stack = this.stacks[column];
    if (stack === undefined || stack.length >= rows) return false;
    this.stacks[column] = stack + (seat === 0 ? "a" : "b");
    return true;
  }
  winner(): Seat | undefined {
    const at = (x: number, y: number): string => this.stacks[x]?.[y] ?? ".";
    const texts: string[] = [];
    for (let n = -columns; n < columns + rows; n++) {
      texts.push(Array.from({ length: rows }, (_, y) => at(n, y)).join(""));
      texts.push(Array.from({ length: columns }, (_, x) => at(x, n)).join(""));
      texts.push(Array.from({ length: columns }, (_, x) => at(x, n + x)).join(""));
      texts.push(Array.from({ length: columns }, (_, x) => at(x, n - x)).join(""));
    }
    const all = texts.join("|");
    return all.includes("aaaa") ? 0 : all.includes("bbbb") ? 1 : undefined;
  }
}

function drop(match: Match<Discs>, column: unknown): Match<Discs> | string {
  const decision = decide(connectFour, match, { kind: "move", seat: match.turn, move: { column } });
  if ("refused" in decision) return decision.refused.code;
  return decision.events.reduce((now, event) => evolve(connectFour, now, event), match);
}

function played(text: string): Match<Discs> {
  let match = newMatch(connectFour, 1);
  for (const column of text) {
    const next = drop(match, Number(column));
    if (typeof next === "string") throw new Error(`${column} in ${text}: ${next}`);
    match = next;
  }
  return match;
}

it("agrees with an independent tray on every drop, refusal, win and draw", () => {
  let won = 0;
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -1, max: columns }), { minLength: 20, maxLength: 80, size: "max" }),
      (drops) => {
        let match = newMatch(connectFour, 1);
        const tray = new Tray();
        for (const column of drops) {
          const seat = match.turn;
          const next = drop(match, column);
          if (column < 0 || column >= columns) {
            expect(next).toBe("OUT_OF_RANGE");
            continue;
          }
          if (!tray.drop(column, seat)) {
            expect(next).toBe("COLUMN_FULL");
            continue;
          }
          if (typeof next === "string") throw new Error(next);
          match = next;
          for (let x = 0; x < columns; x++) {
            const stack = [...(tray.stacks[x] ?? "")].map((letter) => (letter === "a" ? 0 : 1));
            const held = Array.from({ length: rows }, (_, y) => match.board[(rows - 1 - y) * columns + x]);
            expect(held.filter((disc) => disc !== null)).toEqual(stack);
          }
          const full = tray.stacks.every((stack) => stack.length === rows);
          const winner = tray.winner();
          expect(match.ended).toEqual(winner !== undefined ? { winner } : full ? { winner: null } : undefined);
          if (match.ended !== undefined) {
            won += 1;
            return;
          }
        }
      },
    ),
    { numRuns: 500 },
  );
  expect(won).toBeGreaterThan(20);
});

it("each of the 69 lines wins for its owner alone, and nothing short of one does", () => {
  let lines = 0;
  const empty = connectFour.setup(1);
  for (let start = 0; start < columns * rows; start++) {
    for (const [dx, dy] of [
      [1, 0],
      [0, 1],
      [1, 1],
      [-1, 1],
    ] as const) {
      const cells = [0, 1, 2, 3].map((n) => ({
        x: (start % columns) + n * dx,
        y: Math.floor(start / columns) + n * dy,
      }));
      if (cells.some(({ x, y }) => x < 0 || x >= columns || y >= rows)) continue;
      lines += 1;
      const at = cells.map(({ x, y }) => y * columns + x);
      const discs: Discs = empty.map((_, cell) => (at.includes(cell) ? 1 : null));
      expect(connectFour.outcome(discs, 1)).toEqual({ winner: 1 });
      expect(connectFour.outcome(discs, 0)).toBeUndefined();
      for (const cell of at) expect(connectFour.outcome(discs.with(cell, 0), 1)).toBeUndefined();
    }
  }
  expect(lines).toBe(69);
});

it("a full tray without a line is a draw, and the 42nd disc may win", () => {
  expect(played("510434133334215521466530251410460052062266").ended).toEqual({ winner: null });
  const filling = "66066325402214013000143463526555321543412";
  expect(played(filling).ended).toBeUndefined();
  expect(played(`${filling}1`).ended).toEqual({ winner: 1 });
});

it("refuses what is no move", () => {
  for (const column of [1.5, "1", null, Number.NaN, undefined, {}]) {
    expect(drop(newMatch(connectFour, 1), column)).toBe("MALFORMED");
  }
  expect(drop(played("333333"), 3)).toBe("COLUMN_FULL");
  expect(drop(played("0101010"), 2)).toBe("MATCH_OVER");
});
