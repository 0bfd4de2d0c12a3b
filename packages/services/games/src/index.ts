export { strategyOf } from "./bots/strategies.ts";
export type { Strategy } from "./bots/strategy.ts";
export { type ClassicServer, startClassicServer } from "./classic/classic-server.ts";
export { type ArchivedEntry, archiveName, readArchived, startArchive } from "./consumers/archive.ts";
export { type BotOptions, botSeatsName, startBot } from "./consumers/bot.ts";
export { type Comment, startCommentator } from "./consumers/commentator.ts";
export { type Leaderboard, leaderboardAddress, startLeaderboard } from "./consumers/leaderboard.ts";
export { askForBot, lobbyName, type Seating, type Seeker, takeSeat } from "./consumers/lobby.ts";
export { type MatchmakerOptions, startMatchmaker } from "./consumers/matchmaker.ts";
export type { Tolerance } from "./consumers/pairing.ts";
export type { Standing } from "./consumers/rating.ts";
export { type FollowOptions, listMatches, matchState, spectate } from "./follow.ts";
export { defineGame, type Game, type Outcome, type Seat, type Violation } from "./game.ts";
export type { MatchCommand } from "./match/command.ts";
export type { Waiting } from "./match/command-desk.ts";
export type { EndedBy, Entry, MatchFact } from "./match/entry.ts";
export type { Step } from "./match/record.ts";
export type { Reply } from "./match/reply.ts";
export type { RefusalCode } from "./match/ruling.ts";
export type { MatchView, StepEvent } from "./match/table.ts";
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
  type CreateOptions,
  type MoveOptions,
  openPlayer,
  type Player,
  type Seated,
  type SeekOptions,
} from "./player.ts";
export { type RefereeOptions, startReferee } from "./referee.ts";
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
export { connectFour, type Discs, type Drop } from "./rules/connect-four.ts";
export { type Heaps, type NimOptions, nim, type Taking } from "./rules/nim.ts";
export { type AnyGame, gameNamed } from "./rules/registry.ts";
export { type GameRole, gameRoles, startGames } from "./start-games.ts";
export { type Cell, type Grid, ticTacToe } from "./tic-tac-toe.ts";
export { startTimekeeper } from "./timekeeper.ts";
export { type MatchState, type MatchSummary, startViews, type Views, type ViewsOptions } from "./views.ts";
