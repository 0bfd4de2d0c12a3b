import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { pathToFileURL } from "node:url";
import { connect } from "@quadrant/bus";

/**
 * npm run campaign:pauses [-- LETTERS]: the longest pauses of the event loop while so many letters (100 000 unless told) are
 * put into a folder, while as many live there and others come and go, and while they are read again by the next process.
 */
const letters = Number(process.argv[2] ?? 100_000);
if (!Number.isSafeInteger(letters) || letters < 1_000) {
  process.stderr.write("usage: npm run campaign:pauses [-- LETTERS]\n");
  process.exit(2);
}
const folder = await mkdtemp(join(tmpdir(), "quadrant-pauses-"));
const url = pathToFileURL(folder).href;
const body = { text: "x".repeat(100) };

async function measured(what: string, work: () => Promise<void>): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1_000;
  delay.disable();
  const ms = (nanoseconds: number): string => (nanoseconds / 1e6).toFixed(1);
  const line = `${what}: longest pause ${ms(delay.max)} ms, 99.9 % within ${ms(delay.percentile(99.9))} ms, ${seconds.toFixed(1)} s\n`;
  process.stdout.write(line);
}

try {
  const bus = await connect(url);
  const box = await bus.mailbox("live");
  await measured(`${letters} letters sent, 500 at once`, async () => {
    for (let sent = 0; sent < letters; sent += 500) await box.sendMany(new Array(500).fill(body));
  });
  await measured(`20 000 more come and go while ${letters} live`, async () => {
    let handled = 0;
    const worker = await box.process(() => void handled++, { concurrency: 64 });
    for (let sent = 0; sent < 20_000; sent += 100) await box.sendMany(new Array(100).fill(body));
    while (handled < 20_000) await new Promise((resolve) => setImmediate(resolve));
    await worker[Symbol.asyncDispose]();
  });
  await bus.close();
  await measured(`${letters} letters read again`, async () => {
    const again = await connect(url, { timeoutMs: 60_000 });
    process.stdout.write(`  ${JSON.stringify(await (await again.mailbox("live")).info())}\n`);
    await again.close();
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
