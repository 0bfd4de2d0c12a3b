/**
 * Messages that are pushed ahead, asked for one by one, or looked for every 20 ms. Measures: `delayMs`, the median from sending
 * to having it, of messages that come now and then; `drainPerSecond`, how quickly a heap of waiting ones is got; `looks`, of
 * who polls, for each message that it got.
 */
import { fateOf, Sender } from "./cast.ts";
import {
  defineExperiment,
  driverNames,
  type Experiment,
  type Finding,
  type Model,
  type Verdict,
} from "./experiment.ts";
import type { Taken } from "./roles/receiver.ts";

const intake = new URL(`./roles/intake.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);

export const pushAndPull: Experiment = defineExperiment({
  name: "push-and-pull",
  question:
    "Pushed ahead, asked for one by one, or looked for now and then: what does each way of getting messages cost?",
  factors: { way: ["push", "pull", "poll"], driver: driverNames },
  measure: {
    delayMs: { unit: "ms", better: "less", label: "from sending to having it, median" },
    drainPerSecond: { unit: "1/s", better: "more", label: "waiting messages got a second" },
    looks: { unit: "per message", better: "less", label: "questions for each message" },
    lost: { unit: "messages", better: "less", label: "lost" },
  },
  run: async ({ way }, site) => {
    const { name } = site;
    const model: Model = way === "poll" ? "tuple-space" : "mailbox";
    const part = await site.start(intake, { name, way, everyMs: 20 });
    const sender = await Sender.start(site, model);
    const seldom = site.quick ? 10 : 30;
    const first = await sender.send({ name, from: 0, count: seldom, gapMs: 7 });
    await part.ask("reach", { count: first.accepted.length, withinMs: 10_000 });
    const { delayMs, lost } = fateOf(first, await part.ask<Taken[]>("taken"));
    const looks = (await part.ask<number>("asked")) / Math.max(1, first.accepted.length);
    const heap = site.quick ? 100 : 500;
    const begun = await part.ask<Taken[]>("taken");
    const more = await sender.send({ name, from: seldom, count: heap, inFlight: 64 });
    await part.ask("reach", { count: begun.length + more.accepted.length, withinMs: 20_000 });
    const all = (await part.ask<Taken[]>("taken")).slice(begun.length);
    await part.ask("leave");
    const tookMs = all.at(-1)!.atMs - all[0]!.sentMs;
    const fate = fateOf(more, all);
    return { delayMs, drainPerSecond: (all.length * 1_000) / Math.max(1, tookMs), looks, lost: lost + fate.lost };
  },
  expect: (findings) => findings.map(verdictOn),
});

function verdictOn({ cell, values }: Finding): Verdict {
  const lost = values.reduce((sum, each) => sum + (each.lost ?? 0), 0);
  return { claim: "however they are got, none is lost", cell, holds: lost === 0, seen: `${lost} lost` };
}
