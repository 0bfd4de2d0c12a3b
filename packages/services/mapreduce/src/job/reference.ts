import { BusError } from "@quadrant/bus";
import type { Json } from "./codec.ts";
import type { Job } from "./job.ts";

/** A job as it travels: where its module is, and what it was started with. */
export interface JobReference {
  /** The name of a shipped job, or the URL of a module (`file:///…/job.ts`). */
  readonly module: string;
  readonly options?: Json | undefined;
}

type JobModule = { readonly default?: unknown };

/** Jobs that come with the engine, by name. */
const shipped: Readonly<Record<string, () => Promise<JobModule>>> = {
  "distinct-words": () => import("../jobs/distinct-words.ts"),
  "distributed-sort": () => import("../jobs/distributed-sort.ts"),
  grep: () => import("../jobs/grep.ts"),
  "inverted-index": () => import("../jobs/inverted-index.ts"),
  join: () => import("../jobs/join.ts"),
  "n-grams": () => import("../jobs/n-grams.ts"),
  "page-rank": () => import("../jobs/page-rank.ts"),
  "top-k": () => import("../jobs/top-k.ts"),
  "word-count": () => import("../jobs/word-count.ts"),
};

/** The names of the jobs that come with the engine. */
export const shippedJobs: readonly string[] = Object.keys(shipped);

/** Loads a job's module. "invalid" where there is none, it does not load, or its default export is no job. */
export async function loadJob({ module, options }: JobReference): Promise<Job> {
  let loaded: unknown;
  try {
    const found: JobModule = await (Object.hasOwn(shipped, module) ? shipped[module]!() : import(module));
    loaded = typeof found.default === "function" ? found.default(options) : found.default;
  } catch (error) {
    throw new BusError(
      "invalid",
      `the job ${module} does not load: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  }
  if (!isJob(loaded)) {
    throw new BusError(
      "invalid",
      `${module} exports no job: export default defineJob({…}), or a function that returns one`,
    );
  }
  return loaded;
}

function isJob(value: unknown): value is Job {
  const job = value as Partial<Job> | null | undefined;
  return typeof job?.map === "function" && typeof job.reduce === "function" && typeof job.name === "string";
}
