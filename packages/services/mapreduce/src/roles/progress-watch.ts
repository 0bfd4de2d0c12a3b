import type { Bus } from "@quadrant/bus";
import { type Progress, progressSubject } from "./subject.ts";

/** Calls `show` with a job's progress, once in `everyMs` at most, the latest in the end; until disposed. */
export async function watchProgress(
  bus: Bus,
  job: string,
  everyMs: number,
  show: (progress: Progress) => void,
): Promise<AsyncDisposable> {
  const messages = await bus.subscribe<Progress>(progressSubject(job));
  let latest: Progress | undefined;
  const showing = setInterval(() => {
    if (latest !== undefined) show(latest);
    latest = undefined;
  }, everyMs);
  const following = (async () => {
    for await (const { data } of messages) latest = data;
  })().catch(() => undefined);
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(showing);
      await messages[Symbol.asyncDispose]();
      await following;
    },
  };
}
