import { runFramesToClient } from "./frames-to-client.ts";
import { type FrameReport, runFramesToHub } from "./frames-to-hub.ts";

/**
 * npm run fuzz:wire [-- FRAMES [SEED [hub|client]]]: mutated frames against a real hub, and as many against a real client;
 * a million each unless told. The same seed sends the same frames. Ends with 1 when a process died, a good message was not
 * delivered, memory grew beyond its bound or went on growing, or the hub keeps something of sessions that are over.
 */
const frames = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32));
const only = process.argv[4];
if (!Number.isSafeInteger(frames) || frames < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write("usage: npm run fuzz:wire [-- FRAMES [SEED [hub|client]]]\n");
  process.exit(2);
}
process.stderr.write(`${frames} mutated frames each, seed ${seed}\n`);

/** What a process may grow by, with all that the frames may lawfully make it hold. */
const growthBytes = 1024 * 1024 * 1024;

/** The hub keeps a session for half a minute; what it holds has been as much as it becomes after some of those. */
const plateauAfterSeconds = 90;
/** What the last third of the frames may add to memory: no more than noise, or a third of what those before have added. */
const noiseBytes = 64 * 1024 * 1024;
/** What may wait for the two good clients in the end. */
const restBytes = 1024 * 1024;

function goesOnGrowing({ firstBytes, earlyBytes, mostBytes, seconds }: FrameReport): boolean {
  if (earlyBytes === undefined || seconds < plateauAfterSeconds) return false;
  return mostBytes - earlyBytes > Math.max(noiseBytes, (earlyBytes - firstBytes) / 3);
}

function keepsWhatIsOver({ left }: FrameReport): boolean {
  return left !== undefined && (left.sessions > 0 || left.waitingBytes > restBytes);
}

function sound(report: FrameReport): boolean {
  const { crashed, good, delivered, firstBytes, mostBytes } = report;
  if (crashed || good === 0 || delivered < good || mostBytes - firstBytes >= growthBytes) return false;
  return !goesOnGrowing(report) && !keepsWhatIsOver(report);
}

let said = 0;
const progress = (sent: number): void => {
  if (performance.now() - said < 5_000) return;
  said = performance.now();
  process.stderr.write(`  ${sent} frames\n`);
};

const reports: Record<string, FrameReport> = {};
if (only !== "client") reports.hub = await runFramesToHub({ frames, seed, progress, untilForgotten: true });
if (only !== "hub") reports.client = await runFramesToClient({ frames, seed, progress });
process.stdout.write(`${JSON.stringify({ seed, ...reports }, null, 2)}\n`);
process.exitCode = Object.values(reports).every(sound) ? 0 : 1;
