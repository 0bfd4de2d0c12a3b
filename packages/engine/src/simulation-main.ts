import { simulate } from "./simulation.ts";

/**
 * npm run simulate [-- --seeds N] [--seed S]: N runs, 10 000 unless told, from a seed on, 1 unless told. Ends with 1 at the
 * first that is wrong, with its history; `--seeds 1 --seed S` runs it again, to the letter.
 */
function given(name: string, otherwise: number): number {
  const at = process.argv.indexOf(name);
  const value = at < 0 ? otherwise : Number(process.argv[at + 1]);
  if (Number.isSafeInteger(value) && value > 0) return value;
  process.stderr.write("usage: npm run simulate [-- --seeds N] [--seed S]\n");
  process.exit(2);
}

const seeds = given("--seeds", 10_000);
const first = given("--seed", 1);
const began = performance.now();
for (let seed = first; seed < first + seeds; seed++) {
  const { fault, history } = await simulate(seed);
  if (fault === undefined) continue;
  process.stdout.write(`${history.join("\n")}\nseed ${seed}: ${fault}\n`);
  process.exit(1);
}
const seconds = (performance.now() - began) / 1_000;
process.stdout.write(`${seeds} seeds from ${first} on, none wrong, in ${seconds.toFixed(1)} s\n`);
