/** One role of MapReduce in a process of its own, as the command line runs them; or the client of a job. */
import { type Bus, connect } from "@quadrant/bus";
import {
  runApplicationMasters,
  runJob,
  runNodeManager,
  runResourceManager,
  runWorker,
  type StartedWorker,
  type SubmissionRequest,
  type Summary,
  startRoles,
} from "@quadrant/mapreduce";
import { RoleProcess } from "../role-process.ts";
import { play } from "./role.ts";

const { signal } = new AbortController();
const workers: RoleProcess[] = [];
let bus: Promise<Bus> | undefined;

function busAt(url: string): Promise<Bus> {
  bus ??= connect(url);
  return bus;
}

/** A role that cannot go on ends its process, and with it the measurement. */
function endless(role: Promise<void>): void {
  role.catch((error: unknown) => {
    process.stderr.write(`${error}\n`);
    process.exit(1);
  });
}

function startWorker(url: string, node: string, slot: number): StartedWorker {
  const ended = RoleProcess.start("mapreduce").then(async (worker) => {
    workers.push(worker);
    await worker.ask("work", { url, node, slot });
    return "an end without a reason";
  });
  return { ended: ended.catch(String), kill: () => undefined };
}

play<{
  manage: { url: string };
  master: { url: string };
  node: { url: string; slots: number };
  work: { url: string; node: string; slot: number };
  embed: { workers: number };
  run: { url: string; request: SubmissionRequest };
  peaks: undefined;
}>({
  manage: async ({ url }) => endless(runResourceManager(await busAt(url), { signal })),
  master: async ({ url }) => endless(runApplicationMasters(await busAt(url), { signal })),
  node: async ({ url, slots }) => {
    const start = (node: string, slot: number): StartedWorker => startWorker(url, node, slot);
    endless(runNodeManager(await busAt(url), { node: "bench", slots, start, signal }));
  },
  work: async ({ url, node, slot }) => runWorker(await busAt(url), { node, slot, signal }),
  embed: async (roles) => endless(startRoles(await busAt("memory:"), roles).failed),
  run: async ({ url, request }): Promise<Summary> => runJob(await busAt(url), request),
  // Of each worker, or of this process: the most it ever had in memory, in MiB.
  peaks: async () =>
    workers.length === 0
      ? [process.resourceUsage().maxRSS / 1024]
      : (await Promise.all(workers.map((worker) => worker.ask<number[]>("peaks")))).flat(),
});
