/**
 * Servers of four kinds: one call after the other; calls side by side in one thread; their work in threads; in processes.
 * Each call waits for 5 ms and works for 1 ms. Measures: `perSecond` with 16 calls under way; `p99Ms`.
 */
import { quantile } from "simple-statistics";
import { defineExperiment, driverNames, type Experiment, type Finding, type Verdict } from "./experiment.ts";

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const roleAt = (name: string): URL => new URL(`./roles/${name}.${extension}`, import.meta.url);
const kinds = ["iterative", "concurrent", "threaded", "processes"] as const;
const waitMs = 5;
const workMs = 1;

export const serverModels: Experiment = defineExperiment({
  name: "server-models",
  question: "What do iterative, concurrent, threaded and process servers do with calls that wait and work?",
  factors: { kind: kinds, driver: driverNames },
  quick: { kind: ["iterative", "concurrent"] },
  measure: {
    perSecond: { unit: "1/s", better: "more", label: "calls a second" },
    p99Ms: { unit: "ms", better: "less", label: "99th percentile of a call" },
  },
  omit: ({ kind, driver }) =>
    kind === "processes" && (driver === "memory" || driver === "file")
      ? "an embedded driver lives in one process"
      : undefined,
  run: async ({ kind }, site) => {
    const { name } = site;
    const servers = kind === "processes" ? 2 : 1;
    const input = { name, kind: kind === "processes" ? "concurrent" : kind, waitMs, workMs };
    const started = await Promise.all(Array.from({ length: servers }, () => site.start(roleAt("server"), input)));
    const caller = await site.start(roleAt("caller"));
    const calls = { name, inFlight: 16 };
    // Threads are started by the first calls.
    await caller.ask("call", { ...calls, calls: 16 });
    const { times, tookMs } = await caller.ask<{ times: number[]; tookMs: number }>("call", {
      ...calls,
      calls: site.quick ? 32 : 200,
    });
    await Promise.all(started.map((server) => server.ask("leave")));
    return { perSecond: (times.length * 1_000) / tookMs, p99Ms: quantile([...times], 0.99) };
  },
  expect: (findings) => findings.map(verdictOn),
});

function verdictOn({ cell, values }: Finding): Verdict {
  const most = Math.max(...values.map((each) => each.perSecond ?? 0));
  const seen = `${most.toFixed(0)} calls a second at most`;
  if (cell.kind !== "iterative") return { claim: "calls are answered", cell, holds: most > 0, seen };
  // One call waits for 5 ms and works for 1: no iterative server can do more than 1000 / 6 a second.
  return {
    claim: "one call after the other is bounded by what a call takes",
    cell,
    holds: most <= 1_000 / (waitMs + workMs) + 5,
    seen,
  };
}
