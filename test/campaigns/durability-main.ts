import { runDurability } from "./durability.ts";
import { kinds } from "./durability-record.ts";

/**
 * npm run campaign:durability [-- COUNT [SEED]]: COUNT letters, entries and tuples each (100 000 unless told), kept in a
 * folder by a process and by a hub, with ten SIGKILLs at random moments, and the same on a disk of 6 MiB that is filled up
 * in the middle (which takes the right to mount one). Ends with 1 when something acknowledged was lost, altered, or came
 * back after it was gone.
 */
const wanted = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32));
if (!Number.isSafeInteger(wanted) || wanted < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write("usage: npm run campaign:durability [-- COUNT [SEED]]\n");
  process.exit(2);
}
process.stdout.write(`${wanted} of each, ten SIGKILLs each, seed ${seed}\n`);
let broken = 0;
for (const fillsUp of [false, true]) {
  for (const keeper of ["file", "hub"] as const) {
    for (const kind of kinds) {
      const report = await runDurability({ kind, keeper, wanted, kills: 10, seed, fillsUp });
      const { lost, altered, resurrected, flaws } = report;
      broken += lost + altered + resurrected + flaws.length;
      process.stdout.write(`${keeper}${fillsUp ? ", disk filled up" : ""}, ${kind}: ${JSON.stringify(report)}\n`);
    }
  }
}
process.exitCode = broken === 0 ? 0 : 1;
