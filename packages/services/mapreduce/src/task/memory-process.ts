/** Counts words in a process of its own, so that what it takes can be measured: `FILE OUT JOB MEMORY-BYTES SPLIT-BYTES`. */
import { stat } from "node:fs/promises";
import { runLocally } from "./local-run.ts";

const [path = "", out = "", module = "", memoryBytes, splitBytes] = process.argv.slice(2);
const counters = await runLocally({ module }, [{ path, bytes: (await stat(path)).size }], {
  out,
  partitions: 2,
  memoryBytes: Number(memoryBytes),
  splitBytes: Number(splitBytes),
});
process.stdout.write(JSON.stringify({ counters, peakBytes: process.resourceUsage().maxRSS * 1024 }));
