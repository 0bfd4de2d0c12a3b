/**
 * A burst, and a receiver too slow for it. Who pays? Measures: `acceptedMs`, until the sender was rid of all of it; `lost`;
 * `delayMs`, the median from sending to handling; `senderMiB` and `receiverMiB`, by how much their processes grew.
 */

import { nowMs } from "../site/role.ts";
import { fateOf, Receiver, Sender } from "./cast.ts";
import {
  defineExperiment,
  driverNames,
  type Experiment,
  type Finding,
  type Model,
  models,
  type Verdict,
} from "./experiment.ts";

const pad = 4_096;
const mib = 1_048_576;

export const slowConsumer: Experiment = defineExperiment({
  name: "slow-consumer",
  question:
    "A burst meets a receiver that is slow. Who pays: the sender in time, the broker in memory, the message in delay or loss?",
  factors: { model: models, driver: driverNames, handleMs: [0, 2, 5] },
  quick: { handleMs: [2] },
  measure: {
    acceptedMs: { unit: "ms", better: "less", label: "until the sender was rid of the burst" },
    lost: { unit: "messages", better: "less", label: "lost" },
    delayMs: { unit: "ms", better: "less", label: "from sending to handling, median" },
    senderMiB: { unit: "MiB", better: "less", label: "the sender's process grew by" },
    receiverMiB: { unit: "MiB", better: "less", label: "the receiver's process grew by" },
  },
  run: async ({ model: chosen, handleMs }, site) => {
    const model = chosen as Model;
    const name = site.name;
    const count = site.quick ? 100 : 300;
    const receiver = await Receiver.start(site, {
      model,
      name,
      inFlight: 1,
      leaseMs: 30_000,
      handleMs: Number(handleMs),
    });
    const sender = await Sender.start(site, model);
    await sender.part.ask("ready", name);
    const before = await Promise.all([sender.part.memory(), receiver.part.memory()]);
    const began = nowMs();
    const outcomes = await sender.send({ name, from: 0, count, inFlight: 64, pad });
    const acceptedMs = nowMs() - began;
    await receiver.reach(outcomes.accepted.length);
    const after = await Promise.all([sender.part.memory(), receiver.part.memory()]);
    const { lost, delayMs } = fateOf(outcomes, await receiver.taken());
    const grown = after.map((bytes, at) => Math.max(0, bytes - before[at]!) / mib);
    return {
      acceptedMs,
      lost: lost + outcomes.refused.length + outcomes.unknown.length,
      delayMs,
      senderMiB: grown[0],
      receiverMiB: grown[1],
    };
  },
  expect: (findings) => findings.map(verdictOn),
});

function verdictOn({ cell, values }: Finding): Verdict {
  const lost = values.reduce((sum, each) => sum + (each.lost ?? 0), 0);
  const why =
    cell.model === "direct"
      ? "a caller waits only so long for its turn, and is told that it may or may not have had it"
      : undefined;
  return {
    claim: "a slow receiver costs time, not messages",
    cell,
    holds: lost === 0,
    seen: `${lost} lost or refused`,
    why,
  };
}
