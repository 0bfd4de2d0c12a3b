/**
 * Order with competing consumers and redelivery. Measures: `inversions`, pairs of messages of one sender of which the later
 * was handled before the earlier, by whoever; `lost`; `repeated`. `trouble`: one of them fails once, and is handled again.
 */
import { sum } from "simple-statistics";
import { fateOf, Receiver, Sender } from "./cast.ts";
import {
  type Cell,
  defineExperiment,
  driverNames,
  type Experiment,
  type Finding,
  type Model,
  models,
  type Verdict,
} from "./experiment.ts";
import type { Taken } from "./roles/receiver.ts";

const consumersLevels = [1, 3] as const;

export const ordering: Experiment = defineExperiment({
  name: "ordering",
  question:
    "Are messages of one sender handled in the order in which they were sent, by one receiver, by several, after a failure?",
  factors: { model: models, driver: driverNames, consumers: consumersLevels, trouble: ["none", "one fails once"] },
  quick: { consumers: [3], trouble: ["none"] },
  measure: {
    inversions: { unit: "pairs", better: "less", label: "handled in the wrong order" },
    lost: { unit: "messages", better: "less", label: "lost" },
    repeated: { unit: "messages", better: "less", label: "handled twice" },
  },
  omit: ({ model, trouble }: Cell) =>
    trouble !== "none" && (model === "publish-subscribe" || model === "direct")
      ? "what is not acknowledged cannot come again"
      : undefined,
  run: async ({ model: chosen, consumers, trouble }, site) => {
    const model = chosen as Model;
    const count = site.quick ? 60 : 200;
    const fails = trouble === "none" ? undefined : Math.floor(count / 3);
    // A group, where otherwise each would get all.
    const input = { model, name: site.name, inFlight: 1, group: "workers", handleMs: 1, fails };
    const takers = await Promise.all(Array.from({ length: Number(consumers) }, () => Receiver.start(site, input)));
    const sender = await Sender.start(site, model);
    const outcomes = await sender.send({ name: site.name, from: 0, count });
    const taken: Taken[] = [];
    for (let before = -1; taken.length < outcomes.accepted.length && taken.length !== before; ) {
      before = taken.length;
      const all = await Promise.all(takers.map((taker) => taker.taken()));
      if (sum(all.map(({ length }) => length)) < outcomes.accepted.length) {
        await Promise.race(takers.map((taker, at) => taker.reach(all[at]!.length + 1)));
      }
      taken.splice(0, taken.length, ...(await Promise.all(takers.map((taker) => taker.taken()))).flat());
    }
    taken.sort((a, b) => a.atMs - b.atMs);
    const { lost, repeated } = fateOf(outcomes, taken);
    return { inversions: inversionsOf(taken.map(({ n }) => n)), lost, repeated };
  },
  expect: (findings) => findings.flatMap(verdictsOn),
});

function inversionsOf(numbers: readonly number[]): number {
  let inversions = 0;
  for (const [at, number] of numbers.entries()) {
    for (let later = at + 1; later < numbers.length; later++) if (numbers[later]! < number) inversions++;
  }
  return inversions;
}

function verdictsOn({ cell, values }: Finding): readonly Verdict[] {
  const total = (measure: string): number => sum(values.map((each) => each[measure] ?? 0));
  const seen = `${total("inversions")} pairs in the wrong order, ${total("lost")} lost`;
  const whole = { claim: "nothing is lost", cell, holds: total("lost") === 0, seen };
  if (cell.consumers !== 1 || cell.trouble !== "none") return [whole];
  return [
    whole,
    { claim: "one receiver handles what one sender sent in its order", cell, holds: total("inversions") === 0, seen },
  ];
}
