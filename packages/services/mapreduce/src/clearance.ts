import type { Bus } from "@quadrant/bus";
import { partitionAddress, resultsAddress, spaceName } from "./job.ts";

/**
 * Takes from the bus what is left of a job that has finished: tuples that were given back, letters that came late.
 * Repeating it is harmless; the coordinator does it, and every worker that leaves.
 */
export async function clearJob(bus: Bus, job: string, partitions: number): Promise<void> {
  const space = await bus.space(spaceName);
  const templates = [
    ["task", job, Number, Array],
    ["partition", job, Number],
    ["job", job, Object],
  ] as const;
  for (const template of templates) {
    while ((await space.inMany(template, { max: 1_000 })).length > 0);
  }
  const addresses = Array.from({ length: partitions }, (_, i) => partitionAddress(job, i));
  for (const address of [...addresses, resultsAddress(job)]) await (await bus.mailbox(address)).destroy();
}
