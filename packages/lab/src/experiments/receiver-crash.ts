/**
 * The receiver dies before, in or after the handling of one message. Measures: `arrived` and `lost` of what the sender was told
 * to have sent; `refused` and `unknown`, of which it was told; `repeated`, handled twice; `recoveryMs`, from the death until
 * the message that it died with was handled by another.
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

const count = 20;
/** With which message it dies. */
const fatal = 5;
const leaseMs = 1_000;

const moments = ["before", "during", "after"] as const;

/** What is handled again because nobody knows that it was: only there where it is handed over at least once. */
const hands: Readonly<Record<Model, "at most once" | "at least once">> = {
  direct: "at most once",
  mailbox: "at least once",
  "publish-subscribe": "at most once",
  log: "at least once",
  "tuple-space": "at least once",
};

export const receiverCrash: Experiment = defineExperiment({
  name: "receiver-crash",
  question:
    "The receiver is killed before, in the middle of, or after handling a message. What is lost, what is done twice?",
  factors: { model: models, driver: driverNames, moment: moments },
  quick: { moment: ["after"] },
  measure: {
    arrived: { unit: "messages", better: "more", label: "handled" },
    lost: { unit: "messages", better: "less", label: "lost without a word" },
    refused: { unit: "messages", better: "less", label: "refused, and the sender knows" },
    unknown: { unit: "messages", better: "less", label: "the sender knows that it may have happened" },
    repeated: { unit: "messages", better: "less", label: "handled twice" },
    recoveryMs: { unit: "ms", better: "less", label: "until another handled what it died with" },
  },
  run: async ({ model: chosen, moment }, site) => {
    const model = chosen as Model;
    const input = { model, name: site.name, inFlight: 1, leaseMs };
    const victim = await Receiver.start(site, input);
    const sender = await Sender.start(site, model);
    await victim.part.ask("haltAt", { n: fatal, moment });
    // Without waiting for each: the sender does not stand still with the receiver.
    const sending = sender.send({ name: site.name, from: 0, count, inFlight: count });
    await victim.part.ask("halted");
    const before = await victim.taken();
    const diedMs = nowMs();
    await victim.part.kill();
    const heir = await Receiver.start(site, input);
    const outcomes = await sending;
    const outstanding = new Set(outcomes.accepted);
    for (const { n } of before) outstanding.delete(n);
    const comes = hands[model] === "at least once";
    await heir.reach(comes ? outstanding.size + (moment === "after" ? 1 : 0) : 0);
    const after = await heir.taken();
    const { arrived, lost, repeated } = fateOf(outcomes, [...before, ...after]);
    const again = after.find(({ n }) => n === fatal);
    return {
      arrived,
      lost,
      refused: outcomes.refused.length,
      unknown: outcomes.unknown.length,
      repeated,
      recoveryMs: again === undefined ? undefined : again.atMs - diedMs,
    };
  },
  expect: (findings) => findings.flatMap(verdictsOn),
});

function verdictsOn({ cell, values }: Finding): readonly Verdict[] {
  const model = cell.model as Model;
  const total = (measure: string): number => values.reduce((sum, each) => sum + (each[measure] ?? 0), 0);
  const seen = `${["arrived", "lost", "refused", "unknown", "repeated"].map((each) => `${total(each)} ${each}`).join(", ")}`;
  if (hands[model] === "at most once") {
    const verdict = { claim: "nothing is handled twice", cell, holds: total("repeated") === 0, seen };
    if (model !== "direct") return [verdict];
    return [verdict, { claim: "the caller learns of every call that failed", cell, holds: total("lost") === 0, seen }];
  }
  const twice = cell.moment === "after" ? values.length : 0;
  return [
    { claim: "nothing that was acknowledged to the sender is lost", cell, holds: total("lost") === 0, seen },
    {
      claim: "only what was handled and not acknowledged is handled twice",
      cell,
      holds: total("repeated") <= twice,
      seen,
    },
  ];
}
