import { parseArgs } from "node:util";
import { runTakeover, successors } from "./takeover.ts";

/**
 * npm run campaign:takeover [-- --tuples N]: fills a tuple space on NATS (1 000 000 tuples unless told), ends the process that
 * owns it by SIGKILL while others put and take, and tells how long it was until operations succeeded again: where a process
 * stood by for it, and where one that uses spaces had to begin. Ends with 1 when something acknowledged was lost, something
 * was there twice or never put, or it took longer than five seconds.
 */
const promisedMs = 5_000;
const { values } = parseArgs({ options: { tuples: { type: "string", default: "1000000" } } });
const tuples = Number(values.tuples);
if (!Number.isSafeInteger(tuples) || tuples < 1) {
  process.stderr.write("usage: npm run campaign:takeover [-- --tuples N]\n");
  process.exit(2);
}
let broken = 0;
for (const successor of successors) {
  const report = await runTakeover(tuples, successor);
  broken += report.lost + report.twice + report.invented + Number(report.takeoverMs > promisedMs);
  process.stdout.write(`${successor}: ${JSON.stringify(report)}\n`);
}
process.exitCode = broken === 0 ? 0 : 1;
