import type { Bus, Message } from "@quadrant/bus";
import { publishFrom, toObservable } from "@quadrant/rx";
import { auditTime, interval, map, merge, tap, throttleTime } from "rxjs";
import { eventPattern, type JobEvent, progressSubject } from "./job.ts";
import type { Progress, Tally } from "./tally.ts";

/** However many events come, progress is published so often at most, */
const auditMs = 200;
/** and so often at least. */
const beatMs = 1_000;
/** Held for a coordinator that is busy: an event lost is progress not shown. */
const eventsHeld = 65_536;

/**
 * Makes of a job's events its progress: adds them to the tally, and publishes what that comes to on `progressSubject`,
 * until disposed.
 */
export async function reportProgress(bus: Bus, job: string, tally: Tally): Promise<AsyncDisposable> {
  const events = await bus.subscribe<JobEvent>(eventPattern(job), { buffer: eventsHeld });
  const added = toObservable(events).pipe(tap(({ data }: Message<JobEvent>) => tally.add(data)));
  const progress = merge(added, interval(beatMs)).pipe(
    auditTime(auditMs),
    map(() => tally.progress()),
  );
  // What cannot be published now is out of date when it can: the next is. The tally goes on all the same.
  const publish = (subject: string, data: unknown): Promise<void> => bus.publish(subject, data).catch(() => undefined);
  const publishing = publishFrom({ publish }, progressSubject(job), progress, {
    concurrency: 1,
    buffer: 1,
    overflow: "drop-oldest",
  });
  return {
    [Symbol.asyncDispose]: async () => {
      await publishing[Symbol.asyncDispose]();
      await events[Symbol.asyncDispose]();
      await publish(progressSubject(job), tally.progress());
    },
  };
}

/** Calls `show` with a job's progress, once in `everyMs` at most, the latest in the end; until disposed. */
export async function watchProgress(
  bus: Bus,
  job: string,
  everyMs: number,
  show: (progress: Progress) => void,
): Promise<AsyncDisposable> {
  const messages = await bus.subscribe<Progress>(progressSubject(job));
  const showing = toObservable(messages)
    .pipe(
      map(({ data }: Message<Progress>) => data),
      throttleTime(everyMs, undefined, { leading: false, trailing: true }),
    )
    // A display that has lost its bus shows nothing more; the job itself fails louder.
    .subscribe({ next: show, error: () => undefined });
  return {
    [Symbol.asyncDispose]: async () => {
      showing.unsubscribe();
      await messages[Symbol.asyncDispose]();
    },
  };
}
