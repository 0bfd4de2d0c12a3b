import { connect } from "@quadrant/bus";
import { startMatchmaker } from "@quadrant/games";

/** One consumer of the games as a process, to be killed by the one who forked it. Says "ready" once it runs. */
const [url, consumer] = process.argv.slice(2) as [string, string];
process.once("disconnect", () => process.exit(0));
const bus = await connect(url, { timeoutMs: 60_000 });
const start = { matchmaker: () => startMatchmaker(bus) }[consumer];
if (start === undefined) throw new Error(`no consumer is called ${consumer}`);
await start();
process.send!("ready");
