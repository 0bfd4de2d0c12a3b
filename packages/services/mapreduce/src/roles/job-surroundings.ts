import { join } from "node:path";
import type { Bus } from "@quadrant/bus";
import { openBlobStore } from "../shuffle/blob-store.ts";
import { openFolderStore } from "../shuffle/folder-store.ts";
import type { RunStore } from "../shuffle/run-store.ts";
import type { Submission } from "./submission.ts";

/** Where a job's runs and parts are kept until its result is committed. */
export interface JobStores {
  readonly runs: RunStore;
  readonly parts: RunStore;
}

/** In the result's folder, as the output folder has it; for files, everybody who works on the job sees it. */
const temporaryFolder = "_temporary";

export async function openStores(bus: Bus, submission: Submission): Promise<JobStores> {
  if (submission.shuffle === "bus") {
    const store = await openBlobStore(bus, submission.job);
    return { runs: store, parts: store };
  }
  const parts = await openFolderStore(join(submission.out, temporaryFolder));
  return { runs: await openFolderStore(runsFolder(submission)), parts };
}

export function runsFolder({ out, job }: Submission): string {
  return join(out, temporaryFolder, `runs-${job}`);
}
