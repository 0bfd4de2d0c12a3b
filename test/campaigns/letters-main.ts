import { runLetters } from "./letters.ts";

/**
 * npm run campaign:letters [-- LETTERS [SEED]]: the full size, 100 000 letters unless told. Ends with 1 when a letter was
 * lost, invented, altered, or delivered twice without a lost lease.
 */
const letters = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32));
if (!Number.isSafeInteger(letters) || letters < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write("usage: npm run campaign:letters [-- LETTERS [SEED]]\n");
  process.exit(2);
}
process.stderr.write(`${letters} letters, 4 consumers, a SIGKILL every 1 000 letters or so, seed ${seed}\n`);

let said = 0;
const report = await runLetters({
  letters,
  consumers: 4,
  lettersPerKill: 1_000,
  seed,
  progress: (handled, kills) => {
    if (performance.now() - said < 2_000) return;
    said = performance.now();
    process.stderr.write(`  ${handled} handled, ${kills} killed\n`);
  },
});
process.stdout.write(`${JSON.stringify({ ...report, seed }, null, 2)}\n`);
const broken = report.lost + report.invented + report.altered + report.unexplained;
process.exitCode = broken === 0 ? 0 : 1;
