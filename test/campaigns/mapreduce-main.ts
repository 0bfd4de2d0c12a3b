import { parseArgs } from "node:util";
import { runOf, runWithFaults } from "./mapreduce.ts";

/**
 * npm run campaign:mapreduce [-- --driver zeromq|nats|redis]… [--runs 20] [--faults 6] [--seed 0]: so many jobs over each broker,
 * by each coupling and each shuffle in turn, while workers, node manager, application master, resource manager and broker are
 * killed and stopped at random. Ends with 1 unless every result is, byte for byte, the one without faults.
 */
const brokers = ["zeromq", "nats", "redis"] as const;
const { values } = parseArgs({
  options: {
    driver: { type: "string", multiple: true },
    runs: { type: "string", default: "20" },
    faults: { type: "string", default: "6" },
    seed: { type: "string", default: "0" },
  },
});
const chosen = brokers.filter((broker) => values.driver?.includes(broker) ?? true);
const [runs, faults, first] = [Number(values.runs), Number(values.faults), Number(values.seed)];
if (chosen.length !== (values.driver?.length ?? brokers.length) || ![runs, faults, first].every(Number.isSafeInteger)) {
  process.stderr.write(
    `usage: npm run campaign:mapreduce -- --driver ${brokers.join("|")} --runs N --faults N --seed N\n`,
  );
  process.exit(2);
}
let broken = 0;
for (const broker of chosen) {
  let identical = 0;
  for (let seed = first; seed < first + runs; seed++) {
    const report = await runWithFaults(runOf(broker, seed, faults)).catch((error: unknown) => ({
      ...runOf(broker, seed, faults),
      identical: false,
      error: String(error),
    }));
    if (report.identical) identical++;
    process.stdout.write(`${JSON.stringify(report)}\n`);
  }
  process.stdout.write(`${broker}: ${identical} of ${runs} results identical\n`);
  broken += runs - identical;
}
process.exitCode = broken === 0 ? 0 : 1;
