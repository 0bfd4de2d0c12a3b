import { type Bus, BusError } from "@quadrant/bus";
import { clearJob } from "./clearance.ts";
import { eventSubject, type Outcome, type Plan, spaceName } from "./job.ts";
import { type RoleOptions, runMapper } from "./mapper.ts";
import { persist } from "./persistence.ts";
import { runReducer } from "./reducer.ts";

export interface WorkerOptions {
  readonly job: string;
  /** Shown in events. Default: the process id. */
  readonly name?: string | undefined;
  /** How many partitions are merged here at the same time. Default 1. */
  readonly reducers?: number | undefined;
  /** How long to wait for a job that nobody has announced yet. Default 30 000. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes part in a job, as a mapper and as reducers, until it has finished: resolves with its outcome. May come at any
 * time, leave at any time, and die at any time. "timeout" when there is no such job within `waitMs`, "aborted" by the
 * signal.
 */
export async function runWorker(bus: Bus, options: WorkerOptions): Promise<Outcome> {
  const { job } = options;
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const space = await bus.space(spaceName);
  const finished = persist(() => space.rd(["finished", job, String], { signal }), signal);
  const planned = space.rd(["job", job, Object], { signal, timeoutMs: options.waitMs ?? 30_000 });
  try {
    const first = await Promise.race([finished, planned]);
    if (first[0] === "finished") return first[2] as Outcome;
    const worker = options.name ?? String(process.pid);
    const plan = first[2] as Plan;
    const outcome = await work(bus, { job, plan, worker, signal }, options.reducers ?? 1, finished);
    // What was in hand when the job finished has been given back, or sent, for nobody.
    await clearJob(bus, job, plan.partitions).catch(() => undefined);
    return outcome;
  } finally {
    stop.abort();
    await Promise.allSettled([finished, planned]);
  }
}

async function work(
  bus: Bus,
  role: RoleOptions,
  reducers: number,
  finished: Promise<readonly ["finished", string, string]>,
): Promise<Outcome> {
  const tell = (state: "joined" | "left"): Promise<void> =>
    bus
      .publish(eventSubject(role.job, "worker"), { kind: "worker", worker: role.worker, state })
      .catch(() => undefined);
  await tell("joined");
  const stop = new AbortController();
  const inner: RoleOptions = { ...role, signal: AbortSignal.any([role.signal, stop.signal]) };
  const roles = [runMapper(bus, inner), ...Array.from({ length: reducers }, () => runReducer(bus, inner))];
  try {
    // Roles end by themselves only when told to, so that the first to end before the job has failed.
    const outcome = await Promise.race([finished.then((tuple) => tuple[2] as Outcome), ...roles.map(endless)]);
    return outcome;
  } finally {
    stop.abort();
    await Promise.allSettled(roles);
    await tell("left");
  }
}

/** A role's failure; its end is no news. */
async function endless(role: Promise<void>): Promise<never> {
  await role;
  throw new BusError("aborted", "the worker was told to stop before its job had finished");
}
