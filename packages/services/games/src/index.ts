export { defineGame, type Game, type Outcome, type Seat, type Violation } from "./game.ts";
export {
  type Command,
  type Decision,
  decide,
  evolve,
  type Match,
  type MatchEvent,
  newMatch,
  type Refusal,
} from "./match.ts";
export { type Cell, type Grid, ticTacToe } from "./tic-tac-toe.ts";
