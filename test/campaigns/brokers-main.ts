import { runBroker } from "./brokers.ts";

/**
 * npm run campaign:brokers [-- COUNT [BROKER…]]: through each broker COUNT letters and log entries (100 000 unless told),
 * while it is killed twice and started again, stopped for five seconds, and its connection cut ten times, and others publish
 * and subscribe beside them. Ends with 1 when something acknowledged was lost or altered, or came back after it was gone;
 * when what was published is neither delivered nor told as lost; when a recovery took over five seconds, or was told twice.
 */
const brokers = ["redis", "nats", "zeromq"] as const;
const [count = "100000", ...named] = process.argv.slice(2);
const wanted = Number(count);
const chosen = brokers.filter((broker) => named.length === 0 || named.includes(broker));
if (!Number.isSafeInteger(wanted) || wanted < 1 || (named.length > 0 && chosen.length !== named.length)) {
  process.stderr.write(`usage: npm run campaign:brokers [-- COUNT [${brokers.join("|")}]…]\n`);
  process.exit(2);
}
let broken = 0;
for (const broker of chosen) {
  for (const kind of ["letters", "entries"] as const) {
    const report = await runBroker({ broker, kind, wanted, cuts: 10, stopMs: 5_000 });
    const { lost, altered, resurrected, flaws, untimely } = report;
    broken += lost + altered + resurrected + flaws.length + untimely.length;
    process.stdout.write(`${broker}, ${kind}: ${JSON.stringify(report)}\n`);
  }
}
process.exitCode = broken === 0 ? 0 : 1;
