import { type FailoverRun, runFailover } from "./failover.ts";

/**
 * npm run campaign:failover [-- COUNT [BROKER…]]: COUNT letters and log entries (20 000 unless told) are put into three servers
 * of NATS with replicas=3, and into a Redis primary with a replica and three Sentinels, by 64 at once; at half of them who
 * leads is killed; once more of Redis with a replica that was cut off a second before. NATS has to lose nothing and serve again
 * within ten seconds: ends with 1 where it does not. What Redis has lost is printed: it acknowledges before its replica has it.
 */
const brokers = ["nats", "redis"] as const;
const [count = "20000", ...named] = process.argv.slice(2);
const wanted = Number(count);
const chosen = brokers.filter((broker) => named.length === 0 || named.includes(broker));
if (!Number.isSafeInteger(wanted) || wanted < 1 || (named.length > 0 && chosen.length !== named.length)) {
  process.stderr.write(`usage: npm run campaign:failover [-- COUNT [${brokers.join("|")}]…]\n`);
  process.exit(2);
}
const longestMs = 10_000;
const runs = chosen.flatMap((broker): readonly FailoverRun[] => [
  { broker, kept: "letters", wanted, putters: 64 },
  { broker, kept: "entries", wanted, putters: 64 },
  ...(broker === "redis" ? [{ broker, kept: "letters", wanted, putters: 64, cutOffMs: 1_000 } as const] : []),
]);
let broken = 0;
for (const run of runs) {
  const report = await runFailover(run);
  const { lost, lostLate, twice, invented, backMs } = report;
  broken += lostLate + twice + invented + (backMs > longestMs ? 1 : 0) + (run.broker === "nats" ? lost : 0);
  const how = run.cutOffMs === undefined ? "" : `, the replica cut off for ${run.cutOffMs} ms before`;
  process.stdout.write(`${run.broker}, ${run.kept}${how}: ${JSON.stringify(report)}\n`);
}
process.exitCode = broken === 0 ? 0 : 1;
