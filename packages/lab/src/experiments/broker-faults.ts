/**
 * The broker is killed and started again, stands still, is cut off, or is far away for a while, and the sender goes on.
 * Measures: `arrived`, `lost`, `repeated` of what was accepted; `refused` and `unknown`, of which the sender was told;
 * `silenceMs`, the longest time in which nothing was handled.
 */
import { setTimeout as pause } from "node:timers/promises";
import { max } from "simple-statistics";
import { fateOf, patienceMs, Receiver, Sender } from "./cast.ts";
import {
  defineExperiment,
  type Experiment,
  type Finding,
  type Model,
  models,
  type Outages,
  type Verdict,
} from "./experiment.ts";

const faults = ["crash", "pause", "cut", "slow link"] as const;
type Fault = (typeof faults)[number];

/** Begins the fault; what is returned ends it. */
async function begin(fault: Fault, broker: Outages): Promise<() => Promise<void>> {
  switch (fault) {
    case "crash":
      await broker.kill();
      return () => broker.restart();
    case "pause":
      await broker.pause();
      return () => broker.resume();
    case "cut":
      await broker.cut();
      return () => broker.heal();
    case "slow link":
      await broker.delay(50);
      return () => broker.heal();
  }
}

/** What survives the broker: everything that is acknowledged, where it is kept. */
const kept: Readonly<Record<Model, boolean>> = {
  direct: true,
  mailbox: true,
  "publish-subscribe": false,
  log: true,
  "tuple-space": true,
};

export const brokerFaults: Experiment = defineExperiment({
  name: "broker-faults",
  question:
    "The broker crashes, stands still, is cut off, or is slow for a while. What is lost, what comes twice, how long is nothing done?",
  factors: { model: models, driver: ["zeromq", "nats", "redis"], fault: faults },
  quick: { fault: ["cut"] },
  broker: { durable: true, network: true },
  measure: {
    arrived: { unit: "messages", better: "more", label: "handled" },
    lost: { unit: "messages", better: "less", label: "lost without a word" },
    repeated: { unit: "messages", better: "less", label: "handled twice" },
    refused: { unit: "messages", better: "less", label: "refused, and the sender knows" },
    unknown: { unit: "messages", better: "less", label: "the sender knows that it may have happened" },
    silenceMs: { unit: "ms", better: "less", label: "longest time in which nothing was handled" },
  },
  run: async ({ model: chosen, fault }, site) => {
    const model = chosen as Model;
    const name = site.name;
    const receiver = await Receiver.start(site, { model, name, inFlight: 8, leaseMs: 2_000 });
    const sender = await Sender.start(site, model);
    const count = site.quick ? 100 : 200;
    await sender.send({ name, from: 0, count: 1 });
    await receiver.reach(1);
    // Many lanes: what waits for the broker holds up only its own.
    const sending = sender.send({ name, from: 1, count, gapMs: 40, inFlight: 16 });
    await receiver.reach(count / 10);
    const end = await begin(fault as Fault, site.broker);
    await pause(site.quick ? 200 : 400);
    await end();
    const outcomes = await sending;
    await receiver.reach(outcomes.accepted.length + 1, kept[model] ? patienceMs : 1_000);
    const taken = (await receiver.taken()).filter(({ n }) => n > 0);
    const { arrived, lost, repeated } = fateOf(outcomes, taken);
    const times = taken.map(({ atMs }) => atMs).sort((a, b) => a - b);
    const silences = times.slice(1).map((at, index) => at - times[index]!);
    return {
      arrived,
      lost,
      repeated,
      refused: outcomes.refused.length,
      unknown: outcomes.unknown.length,
      silenceMs: silences.length === 0 ? undefined : max(silences),
    };
  },
  expect: (findings) => findings.map(verdictOn),
});

function verdictOn({ cell, values }: Finding): Verdict {
  const total = (measure: string): number => values.reduce((sum, each) => sum + (each[measure] ?? 0), 0);
  const seen = ["arrived", "lost", "repeated", "refused", "unknown"].map((each) => `${total(each)} ${each}`).join(", ");
  if (kept[cell.model as Model])
    return { claim: "nothing that was acknowledged is lost", cell, holds: total("lost") === 0, seen };
  const why = "what is published while the broker or the way to it is gone is lost with it: at most once";
  return {
    claim: "nothing is lost, though this model promises only at most once",
    cell,
    holds: total("lost") === 0,
    seen,
    why,
  };
}
