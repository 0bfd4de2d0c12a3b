/**
 * npm run campaign:long-line [-- --megabytes 1000]: counts the words of a file that is one line, in a worker's budget of 256 MiB.
 * Ends with 1 unless every count is right and the process kept to its budget and a quarter.
 */
import { execFile } from "node:child_process";
import { mkdtemp, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const { values } = parseArgs({ options: { megabytes: { type: "string", default: "1000" } } });
const megabytes = Number(values.megabytes);
if (!Number.isSafeInteger(megabytes) || megabytes < 1) {
  process.stderr.write("usage: npm run campaign:long-line -- --megabytes N\n");
  process.exit(2);
}
const program = fileURLToPath(new URL("../../packages/services/mapreduce/src/task/memory-process.ts", import.meta.url));
const budgetMiB = 256 * 1.25;
/** What a worker gets of its 256 MiB for the table of what it counts. */
const [memoryBytes, splitBytes] = [96 << 20, 16 << 20];
/** A million bytes without a line's end: two words that differ in case, one that is no ASCII, and what separates them. */
const phrase = "the bus, the BUS; a—b été ";
const expected = { the: 2, bus: 2, a: 1, b: 1, été: 1 };
const times = Math.floor(1e6 / Buffer.byteLength(phrase));
const piece = Buffer.from(phrase.repeat(times));

const folder = await mkdtemp(join(tmpdir(), "quadrant-long-line-"));
try {
  const path = join(folder, "line");
  const file = await open(path, "w");
  for (let written = 0; written < megabytes; written++) await file.writeFile(piece);
  await file.close();
  const { size } = await stat(path);
  const began = performance.now();
  const out = join(folder, "out");
  const argv = [program, path, out, "word-count", String(memoryBytes), String(splitBytes)];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  const seconds = (performance.now() - began) / 1_000;
  const { peakBytes } = JSON.parse(stdout) as { readonly peakBytes: number };
  const counts = new Map<string, number>();
  for (const name of await readdir(out)) {
    for (const line of (await readFile(join(out, name), "utf8")).split("\n").slice(0, -1)) {
      const [word = "", count] = line.split("\t");
      counts.set(word, Number(count));
    }
  }
  const right =
    counts.size === Object.keys(expected).length &&
    Object.entries(expected).every(([word, each]) => counts.get(word) === each * times * megabytes);
  const peakMiB = peakBytes / 2 ** 20;
  const report = { bytes: size, right, peakMiB: Math.round(peakMiB), budgetMiB, seconds: Number(seconds.toFixed(1)) };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = right && peakMiB <= budgetMiB ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
