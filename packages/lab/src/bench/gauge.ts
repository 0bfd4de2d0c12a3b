import { setTimeout as pause } from "node:timers/promises";
import type { Sample, Scale } from "./case.ts";
import type { Mark } from "./consumer.ts";
import { ProcessorWatch } from "./processor.ts";
import type { RoleProcess } from "./role-process.ts";
import type { Scope } from "./scope.ts";

export interface Gauged {
  readonly perSecond: number;
  readonly cores: Readonly<Record<string, number>>;
}

/** A role that has done nothing for so long does nothing at all. */
const idleMs = 30_000;

/**
 * How quick a role is: warms up, then counts between two marks, by the role's own clock. What is slower than once in the
 * measured time gets longer; rejects where nothing happens at all.
 */
export async function gauge(scope: Scope, scale: Scale, role: RoleProcess, first: "mark" | "reset"): Promise<Gauged> {
  await pause(scale.warmUpMs);
  const from = await role.ask<Mark>(first);
  const watch = new ProcessorWatch(scope.pids);
  await pause(scale.measuredMs);
  let to = await role.ask<Mark>("mark");
  while (to.count === from.count) {
    if (to.atMs - from.atMs > idleMs) throw new Error(`${role.name} did nothing for ${idleMs / 1_000} s`);
    await pause(scale.measuredMs);
    to = await role.ask<Mark>("mark");
  }
  return { perSecond: ((to.count - from.count) * 1_000) / (to.atMs - from.atMs), cores: watch.cores() };
}

/** How long no message may come before those still missing are lost. */
const patienceMs = 3_000;

/** Resolves once the consumer has all that was produced, or nothing more comes; with what was lost or came twice. */
export async function lossesOf(consumer: RoleProcess, produced: number): Promise<number> {
  let count = -1;
  for (let sinceMs = performance.now(); performance.now() - sinceMs < patienceMs; await pause(5)) {
    const mark = await consumer.ask<Mark>("mark");
    if (mark.count === produced) break;
    if (mark.count > count) sinceMs = performance.now();
    count = Math.max(count, mark.count);
  }
  const { count: consumed } = await consumer.ask<Mark>("mark");
  const { repeated } = await consumer.ask<{ missed: number; repeated: number }>("losses");
  return produced - consumed + repeated;
}

/** What a caller measured, as the sample of a group in operations a second. */
export async function gaugeCaller(
  scope: Scope,
  scale: Scale,
  caller: RoleProcess,
  inFlight: number,
): Promise<Sample & { readonly latency: string }> {
  await caller.ask("start", { inFlight });
  const { perSecond, cores } = await gauge(scope, scale, caller, "reset");
  return { value: perSecond, cores, latency: await caller.ask<string>("stop") };
}
