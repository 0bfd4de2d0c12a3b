import { connect } from "@quadrant/bus";
import {
  startArchive,
  startBot,
  startCommentator,
  startGames,
  startLeaderboard,
  startMatchmaker,
} from "@quadrant/games";

/** One consumer of the games as a process, to be killed by the one who forked it. Says "ready" once it runs. */
const [url, consumer] = process.argv.slice(2) as [string, string];
process.once("disconnect", () => process.exit(0));
const bus = await connect(url, { timeoutMs: 60_000 });
const starts: Readonly<Record<string, () => Promise<unknown>>> = {
  archive: () => startArchive(bus),
  // Its matches are taken over soon after a kill.
  bot: () => startBot(bus, { leaseMs: 2_000 }),
  commentator: () => startCommentator(bus),
  judges: () => startGames(bus, { roles: ["referee", "views"] }),
  leaderboard: () => startLeaderboard(bus),
  matchmaker: () => startMatchmaker(bus),
};
const start = starts[consumer];
if (start === undefined) throw new Error(`no consumer is called ${consumer}`);
await start();
process.send!("ready");
