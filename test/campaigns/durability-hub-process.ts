import { startHub } from "@quadrant/zeromq";

/** A durable hub as a program, for as long as the one who forked it. */
const [url, data] = process.argv.slice(2) as [string, string];
const hub = await startHub({ url, data });
process.once("disconnect", () => process.exit(0));
process.send!(hub.url);
