/** All roles of MapReduce over one connection, and the client of a job whose result is known. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Coupling, runJob, startRoles } from "@quadrant/mapreduce";
import { defineRole, type Role } from "../../site/role.ts";
import { resultOf } from "../known-job.ts";

const module = new URL(`../known-job.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url).href;

export interface JobTerms {
  readonly coupling: Coupling;
  readonly tasks: number;
}

export interface JobOutcome {
  readonly tookMs: number;
  readonly outcome: string;
  /** Whether the output is the known one, byte for byte. */
  readonly exact: boolean;
}

const role: Role<undefined> = defineRole((bus) => {
  const roles = startRoles(bus, { workers: 2 });
  return {
    run: async ({ coupling, tasks }: JobTerms): Promise<JobOutcome> => {
      const folder = await mkdtemp(join(tmpdir(), "quadrant-lab-job-"));
      try {
        const out = join(folder, "out");
        const reference = { module, options: { tasks } };
        const began = performance.now();
        const summary = await runJob(bus, { reference, inputs: [], coupling, out, workers: 2, reducers: 1 });
        const tookMs = performance.now() - began;
        if (summary.outcome !== "done") return { tookMs, outcome: summary.outcome ?? "unknown", exact: false };
        const part = (await readdir(out)).find((name) => name.startsWith("part-"));
        const text = part === undefined ? "" : await readFile(join(out, part), "utf8");
        return { tookMs, outcome: summary.outcome, exact: text === resultOf(tasks) };
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    /** In good order, before the connection closes. */
    leave: () => roles[Symbol.asyncDispose](),
  };
});
export default role;
