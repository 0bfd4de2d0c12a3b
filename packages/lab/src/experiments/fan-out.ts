/**
 * One to many, many to one, many to many. Measures: `lost`; `copies`, how often each message was handled; `fairness`, Jain's
 * index of how many each receiver handled: 1 where all did the same, 1/n where one did all (R. Jain, D. Chiu, W. Hawe, "A
 * Quantitative Measure of Fairness", DEC-TR-301, 1984); `spread`, the receivers that handled any.
 */
import { sum } from "simple-statistics";
import { fateOf, joined, Receiver, Sender } from "./cast.ts";
import {
  defineExperiment,
  driverNames,
  type Experiment,
  type Finding,
  type Model,
  models,
  type Verdict,
} from "./experiment.ts";

const shapes = { "one to many": [1, 4], "many to one": [4, 1], "many to many": [4, 4] } as const;
type Shape = keyof typeof shapes;

/** Every message is handled by all who are there, or by one of them. */
const reaches: Readonly<Record<Model, "one" | "all">> = {
  direct: "one",
  mailbox: "one",
  "publish-subscribe": "all",
  log: "one",
  "tuple-space": "one",
};

export const fanOut: Experiment = defineExperiment({
  name: "fan-out",
  question: "One sends to many, many to one, many to many. Who gets a copy, who a share, and how fair are the shares?",
  factors: { model: models, driver: driverNames, shape: Object.keys(shapes) as Shape[] },
  quick: { shape: ["many to many"] },
  measure: {
    lost: { unit: "messages", better: "less", label: "lost" },
    copies: { unit: "per message", better: "neither", label: "how often each was handled" },
    fairness: { unit: "Jain's index", better: "more", label: "fairness of the shares" },
    spread: { unit: "receivers", better: "more", label: "receivers that handled any" },
  },
  run: async ({ model: chosen, shape }, site) => {
    const model = chosen as Model;
    const [senders, receivers] = shapes[shape as Shape];
    const each = (site.quick ? 40 : 200) / senders;
    const input = { model, name: site.name, inFlight: 2, handleMs: 1 };
    const takers = await Promise.all(Array.from({ length: receivers }, () => Receiver.start(site, input)));
    const puts = await Promise.all(Array.from({ length: senders }, (_, n) => Sender.start(site, model, `sender-${n}`)));
    const sending = puts.map((sender, n) => sender.send({ name: site.name, from: n * each, count: each, inFlight: 8 }));
    const outcomes = joined(...(await Promise.all(sending)));
    const due = outcomes.accepted.length * (reaches[model] === "all" ? receivers : 1);
    const taken = await allTaken(takers, due);
    const shares = taken.map((items) => items.length);
    const handled = taken.flat();
    const { lost, arrived } = fateOf(outcomes, handled);
    return {
      lost: lost + outcomes.refused.length + outcomes.unknown.length,
      copies: handled.length / Math.max(1, arrived),
      fairness: sum(shares) ** 2 / (receivers * sum(shares.map((share) => share * share)) || 1),
      spread: shares.filter((share) => share > 0).length,
    };
  },
  expect: (findings) => findings.flatMap(verdictsOn),
});

/** Asks all until together they have so many, or no more come. */
async function allTaken(receivers: readonly Receiver[], due: number) {
  for (let before = -1; ; ) {
    const taken = await Promise.all(receivers.map((receiver) => receiver.taken()));
    const count = sum(taken.map((items) => items.length));
    if (count >= due) return taken;
    if (count === before) {
      // One more, whoever gets it; where none comes in time, none will.
      const more = receivers.map((receiver, at) => receiver.reach(taken[at]!.length + 1));
      await Promise.race(more);
      const now = await Promise.all(receivers.map((receiver) => receiver.taken()));
      if (sum(now.map((items) => items.length)) === count) return now;
    }
    before = count;
  }
}

function verdictsOn({ cell, values }: Finding): readonly Verdict[] {
  const model = cell.model as Model;
  const [, receivers] = shapes[cell.shape as Shape];
  const mean = (measure: string): number => sum(values.map((each) => each[measure] ?? 0)) / values.length;
  const copies = reaches[model] === "all" ? receivers : 1;
  const seen = `${mean("copies").toFixed(2)} copies, ${mean("lost")} lost, ${mean("spread")} of ${receivers} took part, fairness ${mean("fairness").toFixed(2)}`;
  const claim = copies > 1 ? "each gets a copy of each message" : "each message is handled by one";
  return [{ claim, cell, holds: mean("lost") === 0 && mean("copies") === copies, seen }];
}
