/** Two nodes, the disk of one of which is full: its workers cannot spill, the other's can, and the job is done by those. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { connect } from "@quadrant/bus";
import { awaitJob, type Coupling, couplings, submitJob, watchProgress } from "@quadrant/mapreduce";
import { startBroker } from "@quadrant/testkit/brokers";
import { smallDisk } from "@quadrant/testkit/faults";
import { afterEach, expect, it, onTestFinished } from "vitest";
import { killAll, main, start } from "./main-job/program.ts";

afterEach(killAll);

/** With less than this a task of so many words cannot do without its disk. */
const memoryBytes = 400_000;
const count = 60_000;

async function input(): Promise<{ readonly folder: string; readonly module: string }> {
  const folder = await mkdtemp(join(tmpdir(), "quadrant-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const texts = Array.from({ length: 4 }, (_, file) =>
    Array.from({ length: count }, (__, at) => `word${file}x${at.toString(36)}\n`).join(""),
  );
  await Promise.all(texts.map((text, at) => writeFile(join(folder, `input-${at}`), text)));
  const path = join(folder, "job.mjs");
  const engine = new URL("../packages/services/mapreduce/src/index.ts", import.meta.url).href;
  await writeFile(
    path,
    `import { count, defineJob, total } from ${JSON.stringify(engine)};
    export default defineJob({
      name: "own", value: count,
      map: (line, emit) => emit(line, 1),
      reduce: (word, counts, emit) => emit([word, total(counts)]),
    });`,
  );
  return { folder, module: pathToFileURL(path).href };
}

it.each(couplings)("by %s", { timeout: 120_000 }, async (coupling: Coupling) => {
  const { folder, module } = await input();
  const disk = await smallDisk(4 << 20);
  onTestFinished(() => disk[Symbol.asyncDispose]());
  await disk.fill();
  const hub = await startBroker("zeromq");
  onTestFinished(() => hub[Symbol.asyncDispose]());
  const slots = (name: string): string[] => (name === "node-manager" ? ["--slots", "2"] : []);
  const role = (name: string, ...env: string[]) =>
    start("/usr/bin/env", [
      ...[...env, `QUADRANT_URL=${hub.url}`, process.execPath, main, "mapreduce", name],
      ...["--quiet", ...slots(name)],
    ]);
  role("resource-manager");
  role("application-master");
  role("node-manager", `TMPDIR=${disk.folder}`);
  const bus = await connect(hub.url);
  onTestFinished(() => bus.close({ drainMs: 0 }));
  const out = join(folder, "out");
  const inputs = [0, 1, 2, 3].map((at) => join(folder, `input-${at}`));
  const { job } = await submitJob(bus, { reference: { module }, inputs, out, workers: 4, memoryBytes, coupling });
  // The other comes once the full disk was met: while it begins, there is nobody else.
  const met = Promise.withResolvers<void>();
  await using _watch = await watchProgress(bus, job, 50, ({ failures }) => failures > 0 && met.resolve());
  await met.promise;
  role("node-manager");
  const summary = await awaitJob(bus, job, new AbortController().signal);
  expect(summary).toMatchObject({ outcome: "done", skipped: [] });
  const parts = (await readdir(out)).filter((name) => name.startsWith("part-"));
  const lines = (await Promise.all(parts.map((name) => readFile(join(out, name), "utf8")))).join("").split("\n");
  expect(new Set(lines).size).toBe(4 * count + 1);
});
