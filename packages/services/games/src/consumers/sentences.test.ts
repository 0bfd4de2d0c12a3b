import { expect, it } from "vitest";
import type { Seat } from "../game.ts";
import { battleship, type Fleet, fleetLengths, type Salvo, type Seas } from "../rules/battleship.ts";
import { moveSentence } from "./sentences.ts";

it("tells moves of each game in words", () => {
  const told = (game: string, move: unknown): string => moveSentence(game, { seat: 0, name: "Ann", move, view: null });
  expect(told("tictactoe", { x: 0, y: 2 })).toBe("Ann marks column 1, row 3.");
  expect(told("connect4", { column: 3 })).toBe("Ann drops a disc into column 4.");
  expect(told("nim-misere", { heap: 0, take: 2 })).toBe("Ann takes 2 from heap 1.");
  expect(told("chess", "e4")).toBe('Ann plays "e4".');
});

it("tells of Battleship what a spectator may know", () => {
  const lines: Fleet = fleetLengths.map((_, y) => ({ x: 0, y, down: false }));
  let seas: Seas = battleship.setup(1);
  const play = (seat: Seat, move: Salvo): string => {
    seas = battleship.moves.play(seas, seat, move);
    const redacted = battleship.moves.redact?.(move, seat, null);
    return moveSentence("battleship", {
      seat,
      name: seat === 0 ? "Ann" : "Bob",
      move: redacted,
      view: battleship.view(seas, null),
    });
  };
  expect(play(0, { fleet: lines })).toBe("Ann has placed a fleet.");
  expect(play(1, { fleet: lines })).toBe("Bob has placed a fleet.");
  expect(play(0, { x: 0, y: 4 })).toBe("Ann hits at A5.");
  expect(play(1, { x: 9, y: 9 })).toBe("Bob shoots at J10 and misses.");
  expect(play(0, { x: 1, y: 4 })).toBe("Ann sinks a ship of 2 at B5.");
});
