import { startHub } from "@quadrant/zeromq";

/**
 * A hub as a program: says its URL to the process that forked it, and ends with that process, however that one ends. The
 * operating system closes the channel between them even when the parent is killed.
 */
const hub = await startHub({ url: process.argv[2] });
process.once("disconnect", () => process.exit(0));
process.once("SIGTERM", () => void hub[Symbol.asyncDispose]().then(() => process.exit(0)));
process.send!(hub.url);
