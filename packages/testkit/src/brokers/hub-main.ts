import { type HubOptions, startHub } from "@quadrant/zeromq";

/**
 * A hub as a program: its options come, and its URL goes, over the channel to the process that forked it. It ends with that
 * process, however that one ends: the operating system closes the channel even when the parent is killed.
 */
process.once("disconnect", () => process.exit(0));
process.once("message", async (options: HubOptions) => {
  const hub = await startHub(options);
  process.once("SIGTERM", () => void hub[Symbol.asyncDispose]().then(() => process.exit(0)));
  process.send!(hub.url);
});
