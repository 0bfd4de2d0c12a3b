import type { Bus } from "@quadrant/bus";
import { awaitJob, cancelJob, submitJob } from "./job-client.ts";
import { runApplicationMasters } from "./master-host.ts";
import { newNodeName, runNodeManager, type StartedWorker } from "./node-manager.ts";
import { runResourceManager } from "./resource-manager.ts";
import type { SubmissionRequest } from "./submission.ts";
import type { Summary } from "./summary.ts";
import { runWorker } from "./worker.ts";

export interface EmbeddedRoles extends AsyncDisposable {
  /** Rejects when one of them cannot go on; never resolves. */
  readonly failed: Promise<never>;
}

let serial = 0;

/** All roles in this process: a resource manager, a host of application masters, and a node with so many workers. */
export function startRoles(bus: Bus, { workers }: { readonly workers: number }): EmbeddedRoles {
  const stop = new AbortController();
  const { signal } = stop;
  const node = `${newNodeName()}-${++serial}`;
  const running = [
    runResourceManager(bus, { signal }),
    runApplicationMasters(bus, { signal }),
    runNodeManager(bus, { node, slots: workers, signal, start: (_, slot) => startWorkerHere(bus, node, slot) }),
  ];
  const failed = Promise.all(running).then(() => new Promise<never>(() => undefined));
  failed.catch(() => undefined);
  return {
    failed,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.allSettled(running);
    },
  };
}

/** A worker that is no process: it is ended by a signal instead of one of the system's. */
function startWorkerHere(bus: Bus, node: string, slot: number): StartedWorker {
  const stop = new AbortController();
  const ended = runWorker(bus, { node, slot, signal: stop.signal }).then(
    () => "being asked to",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return { ended, kill: () => stop.abort() };
}

export interface RunOptions {
  /** Runs all roles in this process, over this bus, for as long as the job takes; else they are elsewhere on the bus. */
  readonly embedded?: boolean | undefined;
  /** Cancels the job. */
  readonly signal?: AbortSignal | undefined;
}

/** Submits a job and waits for its end; with `embedded`, does it. A job that failed or was cancelled is a summary that says so. */
export async function runJob(bus: Bus, request: SubmissionRequest, options: RunOptions = {}): Promise<Summary> {
  const roles = options.embedded === true ? startRoles(bus, { workers: request.workers ?? 1 }) : undefined;
  const ended = new AbortController();
  try {
    const { job } = await submitJob(bus, request);
    const cancel = (): void => void cancelJob(bus, job).catch((error: unknown) => ended.abort(error));
    if (options.signal?.aborted === true) cancel();
    options.signal?.addEventListener("abort", cancel, { once: true });
    try {
      const result = awaitJob(bus, job, ended.signal);
      return await (roles === undefined ? result : Promise.race([result, roles.failed]));
    } finally {
      options.signal?.removeEventListener("abort", cancel);
    }
  } finally {
    ended.abort();
    await roles?.[Symbol.asyncDispose]();
  }
}
