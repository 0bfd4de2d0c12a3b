export { lobbyName, type Seating, type Seeker, takeSeat } from "./consumers/lobby.ts";
export { type MatchmakerOptions, startMatchmaker } from "./consumers/matchmaker.ts";
export type { Tolerance } from "./consumers/pairing.ts";
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
