import { parseArgs } from "node:util";
import { type HistoryDriver, historyDrivers } from "./histories.ts";
import { runRaces } from "./races.ts";

/**
 * npm run campaign:races [-- --races N] [--drivers memory,file,zeromq,nats,redis] [--seed N]: N takes on each driver (100 000
 * unless told) that are cancelled or run out of time at about the moment at which their tuple is put. Ends with 1 where a
 * tuple was taken and is still there, or neither.
 */
const { values } = parseArgs({
  options: {
    races: { type: "string", default: "100000" },
    drivers: { type: "string", default: historyDrivers.join() },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const [races, seed] = [Number(values.races), Number(values.seed)];
const drivers = values.drivers.split(",") as HistoryDriver[];
const numbers = [races, seed].every((value) => Number.isSafeInteger(value) && value >= 1);
if (!numbers || !drivers.every((driver) => historyDrivers.includes(driver))) {
  process.stderr.write("usage: npm run campaign:races [-- --races N] [--drivers A,B] [--seed N]\n");
  process.exit(2);
}
let broken = 0;
for (const driver of drivers) {
  const progress = (done: number): void => {
    if (done % 10_000 === 0) process.stderr.write(`  ${driver}: ${done} races\n`);
  };
  const report = await runRaces({ driver, races, seed, progress });
  broken += report.both + report.neither;
  process.stdout.write(`${driver}, seed ${seed}: ${JSON.stringify(report)}\n`);
}
process.exitCode = broken === 0 ? 0 : 1;
