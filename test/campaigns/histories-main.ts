import { parseArgs } from "node:util";
import { type HistoryDriver, historyDrivers, runHistories } from "./histories.ts";

/**
 * npm run campaign:histories [-- --histories N] [--drivers memory,file,zeromq,nats,redis] [--ms MS] [--seed N]: N recorded
 * histories of each driver (200 unless told), with eight clients each that put, take, read and claim distinct tuples for MS
 * milliseconds (1 000 unless told), clients and broker SIGKILLed at random moments; each is checked: linearizable, nothing
 * lost. Prints what was counted; ends with 1 at a violation, and tells where its files are.
 */
const { values } = parseArgs({
  options: {
    histories: { type: "string", default: "200" },
    drivers: { type: "string", default: historyDrivers.join() },
    ms: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const [histories, runMs, seed] = [values.histories, values.ms, values.seed].map(Number) as [number, number, number];
const drivers = values.drivers.split(",") as HistoryDriver[];
const numbers = [histories, runMs, seed].every((value) => Number.isSafeInteger(value) && value >= 1);
if (!numbers || !drivers.every((driver) => historyDrivers.includes(driver))) {
  process.stderr.write("usage: npm run campaign:histories [-- --histories N] [--drivers A,B] [--ms MS] [--seed N]\n");
  process.exit(2);
}
let broken = 0;
for (const driver of drivers) {
  const { violations, counts, ...report } = await runHistories({
    driver,
    histories,
    seed,
    runMs,
    progress: (done, found) => {
      if (done % 10 === 0) process.stderr.write(`  ${driver}: ${done} histories, ${found} violations\n`);
    },
  });
  broken += violations.length;
  process.stdout.write(`${driver}, seed ${seed}: ${JSON.stringify({ ...report, violations: violations.length })}\n`);
  process.stdout.write(`  ${JSON.stringify(counts)}\n`);
  for (const { rule, on, message, operations } of violations.slice(0, 10)) {
    const by = operations.map(({ process: who, n, op, began, ended }) => `${who}#${n} ${op} ${began}..${ended}`);
    process.stdout.write(`  ${rule} in ${on}: ${message} [${by.join("; ")}]\n`);
  }
}
process.exitCode = broken === 0 ? 0 : 1;
