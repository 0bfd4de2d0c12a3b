export { strategyOf } from "./bots/strategies.ts";
export type { Strategy } from "./bots/strategy.ts";
export { type ArchivedEntry, archiveName, readArchived, startArchive } from "./consumers/archive.ts";
export { type Comment, startCommentator } from "./consumers/commentator.ts";
export { type Leaderboard, leaderboardAddress, startLeaderboard } from "./consumers/leaderboard.ts";
export { lobbyName, type Seating, type Seeker, takeSeat } from "./consumers/lobby.ts";
export { type MatchmakerOptions, startMatchmaker } from "./consumers/matchmaker.ts";
export type { Tolerance } from "./consumers/pairing.ts";
export type { Standing } from "./consumers/rating.ts";
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
export {
  battleship,
  drawFleet,
  type Fleet,
  type Salvo,
  type Seas,
  type SeasView,
  type Ship,
  type Waters,
} from "./rules/battleship.ts";
export { gameNamed } from "./rules/catalogue.ts";
export { connectFour, type Discs, type Drop } from "./rules/connect-four.ts";
export { type Heaps, type NimOptions, nim, type Taking } from "./rules/nim.ts";
export { type Cell, type Grid, ticTacToe } from "./tic-tac-toe.ts";
