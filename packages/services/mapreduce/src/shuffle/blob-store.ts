import { type Bus, BusError } from "@quadrant/bus";
import type { RunStore } from "./run-store.ts";

/** Runs and parts as blobs of the bus: whoever works on a job need share nothing else. */
export async function openBlobStore(bus: Bus, job: string): Promise<RunStore> {
  const blobs = await bus.blobs(blobsName(job));
  return {
    put: async (name, chunks) => {
      await blobs.put(name, chunks);
    },
    get: (name) => blobs.get(name),
    remove: (name) => blobs.delete(name),
  };
}

/** Removes all of them. Repeating it is harmless. */
export async function destroyBlobs(bus: Bus, job: string): Promise<void> {
  try {
    await (await bus.blobs(blobsName(job))).destroy();
  } catch (error) {
    if (!(error instanceof BusError) || error.code !== "unsupported") throw error;
  }
}

const blobsName = (job: string): string => `mapreduce-${job}`;
