/**
 * Temporal coupling: must both be there at the same time? Measures: `sent`; `refused`, of which the sender was told; `arrived`
 * and `lost` of those it was told to have sent; `delayMs`, the median from sending to handling. Where the receiver was away
 * (`awayMs` over 0), a model that refuses or loses is temporally coupled, one that delivers later is not.
 */
import { setTimeout as pause } from "node:timers/promises";
import { fateOf, patienceMs, Receiver, Sender } from "./cast.ts";
import {
  defineExperiment,
  driverNames,
  type Experiment,
  type Finding,
  type Model,
  models,
  type Verdict,
} from "./experiment.ts";

/** Whether what is sent to somebody who is away waits, by theory. */
export const waits: Readonly<Record<Model, boolean>> = {
  direct: false,
  mailbox: true,
  "publish-subscribe": false,
  log: true,
  "tuple-space": true,
};

const count = 20;
/** What one who takes part by publish/subscribe is sent last: all before it has come, or will not. */
const last = 1;

export const temporalCoupling: Experiment = defineExperiment({
  name: "temporal-coupling",
  question: "The receiver is away while the sender sends. What arrives, and when?",
  factors: { model: models, driver: driverNames, awayMs: [0, 300] },
  quick: { awayMs: [300] },
  measure: {
    sent: { unit: "messages", better: "neither", label: "sent" },
    refused: { unit: "messages", better: "less", label: "refused, and the sender knows" },
    arrived: { unit: "messages", better: "more", label: "arrived" },
    lost: { unit: "messages", better: "less", label: "lost without a word" },
    delayMs: { unit: "ms", better: "less", label: "from sending to handling, median" },
  },
  run: async ({ model, awayMs }, site) => {
    const name = site.name;
    const input = { model: model as Model, name, inFlight: 4 };
    const first = await Receiver.start(site, input);
    const sender = await Sender.start(site, input.model);
    await sender.part.ask("ready", name);
    let receiver = first;
    if (awayMs > 0) {
      await first.leave();
      await first.part[Symbol.asyncDispose]();
    }
    const outcomes = await sender.send({ name, from: 0, count });
    if (awayMs > 0) {
      await pause(awayMs);
      receiver = await Receiver.start(site, input);
    }
    const marker = await sender.send({ name, from: count, count: last });
    const expected = waits[input.model] || awayMs === 0 ? outcomes.accepted.length + last : last;
    await receiver.reach(Math.min(expected, outcomes.accepted.length + marker.accepted.length), patienceMs);
    const taken = await receiver.taken();
    const { arrived, lost, delayMs } = fateOf(outcomes, taken);
    return { sent: count, refused: outcomes.refused.length + outcomes.unknown.length, arrived, lost, delayMs };
  },
  expect: (findings) => findings.map(verdictOn),
});

function verdictOn({ cell, values }: Finding): Verdict {
  const model = cell.model as Model;
  const total = (measure: string): number => values.reduce((sum, each) => sum + (each[measure] ?? 0), 0);
  const [sent, refused, arrived, lost] = ["sent", "refused", "arrived", "lost"].map(total) as [
    number,
    number,
    number,
    number,
  ];
  const seen = `${arrived} of ${sent} arrived, ${refused} refused, ${lost} lost`;
  if (cell.awayMs === 0) return { claim: "with both there, all arrives", cell, holds: arrived === sent, seen };
  if (waits[model])
    return { claim: "what is sent to somebody away waits for him", cell, holds: arrived === sent, seen };
  if (model === "direct") {
    return {
      claim: "a call to somebody away is refused, and none is lost",
      cell,
      holds: refused === sent && lost === 0,
      seen,
    };
  }
  return { claim: "what is published while nobody is subscribed is gone", cell, holds: lost === sent, seen };
}
