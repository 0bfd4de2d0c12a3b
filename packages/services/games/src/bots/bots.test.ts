import { expect, it } from "vitest";
import type { Game, Seat } from "../game.ts";
import { decide, evolve, type Match, newMatch } from "../match.ts";
import { battleship, type SeasView } from "../rules/battleship.ts";
import { chance, pick } from "../rules/chance.ts";
import { columns, connectFour, type Discs, restingCell } from "../rules/connect-four.ts";
import { type Grid, ticTacToe } from "../tic-tac-toe.ts";
import { huntingBattleship } from "./battleship.ts";
import { searchingConnectFour } from "./connect-four.ts";
import type { Strategy } from "./strategy.ts";
import { bestCells, quickTicTacToe } from "./tic-tac-toe.ts";

function after<B, M>(game: Game<B, M>, match: Match<B>, move: unknown): Match<B> {
  const decision = decide(game, match, { kind: "move", seat: match.turn, move });
  if ("refused" in decision) throw new Error(`${decision.refused.code}: ${decision.refused.message}`);
  return decision.events.reduce((now, event) => evolve(game, now, event), match);
}

/** Plays to the end; each strategy is shown what its seat sees, as JSON carries it. */
function played<B, M>(game: Game<B, M>, seats: readonly [Strategy, Strategy], seed: number): Match<B> {
  const random = chance(seed);
  let match = newMatch(game, seed);
  while (match.ended === undefined) {
    const view = JSON.parse(JSON.stringify(game.view(match.board, match.turn)));
    match = after(game, match, seats[match.turn](view, match.turn, random));
  }
  return match;
}

const open = (discs: Discs): readonly number[] =>
  Array.from({ length: columns }, (_, column) => column).filter((column) => restingCell(discs, column) >= 0);
const anyColumn: Strategy = (view, _seat, random) => ({ column: pick(open(view as Discs), random) });

it("Tic-Tac-Toe: every move it may choose, against every move of the other, never loses", () => {
  const game = ticTacToe();
  const ends = { won: 0, drawn: 0 };
  const explore = (match: Match<Grid>, bot: Seat, seen: Set<string>): void => {
    if (match.ended !== undefined) {
      expect(match.ended.winner === null || match.ended.winner === bot).toBe(true);
      ends[match.ended.winner === null ? "drawn" : "won"] += 1;
      return;
    }
    const key = match.board.join();
    if (seen.has(key)) return;
    seen.add(key);
    const free = match.board.flatMap((held, at) => (held === null ? [{ x: at % 3, y: Math.floor(at / 3) }] : []));
    for (const move of match.turn === bot ? bestCells(match.board, bot) : free)
      explore(after(game, match, move), bot, seen);
  };
  for (const bot of [0, 1] as const) explore(newMatch(game, 1), bot, new Set());
  expect(ends.won).toBeGreaterThan(0);
  expect(ends.drawn).toBeGreaterThan(0);
});

it("n×n: completes a line where it can, else blocks one, and plays whole games", () => {
  const game = ticTacToe(5, 4);
  const strategy = quickTicTacToe(5, 4);
  for (let seed = 0; seed < 20; seed++) expect(played(game, [strategy, strategy], seed).ended).toBeDefined();
  const three: Grid = Array.from({ length: 25 }, (_, at) => (at > 0 && at < 4 ? 0 : at > 20 && at < 24 ? 1 : null));
  expect([0, 4]).toContain((strategy(three, 0, chance(1)) as { x: number; y: number }).x);
  expect(strategy(three.with(0, 1), 0, chance(1))).toEqual({ x: 4, y: 0 });
  expect(strategy(three.with(20, 0).with(24, 0).with(0, 1), 1, chance(1))).toEqual({ x: 4, y: 0 });
});

it("Connect Four: always wins in one, else always blocks a win in one, from a thousand positions", () => {
  const strategy = searchingConnectFour(300);
  const random = chance(7);
  const met = { wins: 0, blocks: 0 };
  for (let seed = 0; seed < 1_000; seed++) {
    let match = newMatch(connectFour, 1);
    for (let length = Math.floor(random() * 36); length > 0 && match.ended === undefined; length--) {
      match = after(connectFour, match, { column: pick(open(match.board), random) });
    }
    if (match.ended !== undefined) continue;
    const { board, turn } = match;
    const winning = (by: Seat): readonly number[] =>
      open(board).filter(
        (column) => connectFour.outcome(connectFour.moves.play(board, by, { column }), by)?.winner === by,
      );
    const { column } = strategy(board, turn, random) as { column: number };
    const wins = winning(turn);
    const blocks = winning(turn === 0 ? 1 : 0);
    if (wins.length > 0) {
      met.wins += 1;
      expect(wins).toContain(column);
    } else if (blocks.length > 0) {
      met.blocks += 1;
      expect(blocks).toContain(column);
    } else expect(open(board)).toContain(column);
  }
  expect(met.wins).toBeGreaterThan(50);
  expect(met.blocks).toBeGreaterThan(50);
});

it("Connect Four: beats a random player 100 times of 100, moving first or second", () => {
  const strategy = searchingConnectFour(2_000);
  for (let seed = 0; seed < 100; seed++) {
    const bot = (seed % 2) as Seat;
    const seats = bot === 0 ? ([strategy, anyColumn] as const) : ([anyColumn, strategy] as const);
    expect(played(connectFour, seats, seed).ended).toEqual({ winner: bot });
  }
});

it("Connect Four: finds wins that plain minimax proves, and plays the same for the same chance", () => {
  const wins = (board: Discs, turn: Seat, depth: number): boolean =>
    open(board).some((column) => {
      const next = connectFour.moves.play(board, turn, { column });
      const outcome = connectFour.outcome(next, turn);
      if (outcome !== undefined) return outcome.winner === turn;
      const other: Seat = turn === 0 ? 1 : 0;
      return (
        depth > 1 &&
        open(next).every((reply) => {
          const answered = connectFour.moves.play(next, other, { column: reply });
          return connectFour.outcome(answered, other) === undefined && wins(answered, turn, depth - 2);
        })
      );
    });
  const strategy = searchingConnectFour(50_000);
  const random = chance(11);
  let proved = 0;
  while (proved < 25) {
    let match = newMatch(connectFour, 1);
    for (let length = 8 + Math.floor(random() * 20); length > 0 && match.ended === undefined; length--) {
      match = after(connectFour, match, { column: pick(open(match.board), random) });
    }
    const { board, turn } = match;
    if (match.ended !== undefined || wins(board, turn, 1) || !wins(board, turn, 5)) continue;
    proved += 1;
    const move = strategy(board, turn, chance(3)) as { column: number };
    expect(strategy(board, turn, chance(3))).toEqual(move);
    const next = connectFour.moves.play(board, turn, move);
    const other: Seat = turn === 0 ? 1 : 0;
    // Whatever is answered, the win is still there, and nearer.
    for (const reply of open(next)) {
      expect(wins(connectFour.moves.play(next, other, { column: reply }), turn, 3)).toBe(true);
    }
  }
});

it("Battleship: ends within the cells there are, never shoots twice, and far sooner than by chance", () => {
  const shots: number[] = [];
  for (let seed = 0; seed < 20; seed++) {
    const { board, ended } = played(battleship, [huntingBattleship, huntingBattleship], seed);
    const seen = battleship.view(board, null) as SeasView;
    shots.push(seen[ended?.winner === 0 ? 1 : 0].shots.length);
  }
  // Shots at random take 95 on average.
  expect(shots.reduce((sum, count) => sum + count, 0) / shots.length).toBeLessThan(60);
});
