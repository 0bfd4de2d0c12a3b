import { connect } from "@quadrant/bus";
import { startArchive, startCommentator, startLeaderboard, startMatchmaker } from "@quadrant/games";

/** One consumer of the games as a process, to be killed by the one who forked it. Says "ready" once it runs. */
const [url, consumer] = process.argv.slice(2) as [string, string];
process.once("disconnect", () => process.exit(0));
const bus = await connect(url, { timeoutMs: 60_000 });
const starts: Readonly<Record<string, () => Promise<unknown>>> = {
  archive: () => startArchive(bus),
  commentator: () => startCommentator(bus),
  leaderboard: () => startLeaderboard(bus),
  matchmaker: () => startMatchmaker(bus),
};
const start = starts[consumer];
if (start === undefined) throw new Error(`no consumer is called ${consumer}`);
await start();
process.send!("ready");
