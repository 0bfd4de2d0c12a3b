import { type Bus, BusError } from "@quadrant/bus";
import { startArchive } from "./consumers/archive.ts";
import { startBot } from "./consumers/bot.ts";
import { startCommentator } from "./consumers/commentator.ts";
import { startLeaderboard } from "./consumers/leaderboard.ts";
import { startMatchmaker } from "./consumers/matchmaker.ts";
import { startReferee } from "./referee.ts";
import { startTimekeeper } from "./timekeeper.ts";
import { startViews } from "./views.ts";

export type GameRole =
  | "referee"
  | "views"
  | "timekeeper"
  | "matchmaker"
  | "leaderboard"
  | "archive"
  | "commentator"
  | "bot";

const starters: Readonly<Record<GameRole, (bus: Bus) => Promise<AsyncDisposable>>> = {
  referee: startReferee,
  views: startViews,
  timekeeper: startTimekeeper,
  matchmaker: startMatchmaker,
  leaderboard: startLeaderboard,
  archive: startArchive,
  commentator: startCommentator,
  bot: startBot,
};

export const gameRoles: readonly GameRole[] = Object.keys(starters) as GameRole[];

/** Starts services of the games over one bus: all of them unless told which. Disposing stops them, the last first. */
export async function startGames(
  bus: Bus,
  { roles = gameRoles }: { readonly roles?: readonly GameRole[] | undefined } = {},
): Promise<AsyncDisposable> {
  for (const role of roles) if (!(role in starters)) throw new BusError("invalid", `${role} is none of ${gameRoles}`);
  const started: AsyncDisposable[] = [];
  const stop = async (): Promise<void> => {
    for (const each of started.splice(0).reverse()) await each[Symbol.asyncDispose]();
  };
  try {
    for (const role of new Set(roles)) started.push(await starters[role](bus));
  } catch (error) {
    await stop();
    throw error;
  }
  return { [Symbol.asyncDispose]: stop };
}
