/**
 * Referential coupling: must the sender know the receiver? Measures, of what is sent after the change: `arrived` at the
 * newcomer while the sender goes on as before; `refused`; `stranded`, accepted and waiting where the old one took it;
 * `lost`; and `changed`: 1 where the sender had to name the newcomer before anything reached it. A model with `changed` 1
 * for a receiver of another name is referentially coupled.
 */
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
import type { Taken } from "./roles/receiver.ts";
import type { Outcomes } from "./roles/sender.ts";

/** Whether the sender names its receiver, by theory. */
export const names: Readonly<Record<Model, boolean>> = {
  direct: true,
  mailbox: true,
  "publish-subscribe": false,
  log: false,
  "tuple-space": false,
};

const count = 20;
/** What must come at once where anything comes: the marker behind it has come. */
const briefMs = 250;

export const referentialCoupling: Experiment = defineExperiment({
  name: "referential-coupling",
  question:
    "The receiver is replaced by one of another name, by one elsewhere, or by two. What must the sender change?",
  factors: { model: models, driver: driverNames, change: ["another name", "another place", "doubled"] },
  quick: { change: ["another name"] },
  measure: {
    arrived: { unit: "messages", better: "more", label: "arrived, with the sender as it was" },
    refused: { unit: "messages", better: "less", label: "refused, and the sender knows" },
    stranded: { unit: "messages", better: "less", label: "waiting where nobody takes it" },
    lost: { unit: "messages", better: "less", label: "lost without a word" },
    copies: { unit: "per message", better: "neither", label: "how often each was taken" },
    changed: { unit: "0 or 1", better: "less", label: "the sender had to change a name" },
  },
  run: async ({ model: chosen, change }, site) => {
    const model = chosen as Model;
    // Names of receivers: an address where there are addresses, elsewhere the durable or group that only they know.
    const addressed = names[model];
    const subject = site.name;
    const nameOf = (who: string): string => (addressed ? `${subject}.${who}` : subject);
    const input = (who: string) => ({
      model,
      name: nameOf(who),
      inFlight: 4,
      durable: change === "another name" ? who : "one",
    });
    const old = await Receiver.start(site, input("one"));
    const sender = await Sender.start(site, model);
    await sender.send({ name: nameOf("one"), from: 0, count: 1 });
    await old.reach(1);
    const newcomer = change === "another name" ? "two" : "one";
    const next = await Receiver.start(site, input(newcomer));
    if (change !== "doubled") {
      await old.leave();
      await old.part[Symbol.asyncDispose]();
    }
    const outcomes = await sender.send({ name: nameOf("one"), from: 1, count });
    const misnamed = addressed && change === "another name";
    // Another durable of a log begins with the first entry, which the old one had.
    const earlier = model === "log" && change === "another name" ? 1 : 0;
    if (!misnamed && change !== "doubled") await next.reach(outcomes.accepted.length + earlier);
    const taken = change === "doubled" ? await takenByBoth(old, next, outcomes) : await next.taken();
    const after = taken.filter(({ n }) => n > 0);
    const fate = fateOf(outcomes, after);
    let changed = 0;
    let stranded = 0;
    if (fate.arrived === 0 && misnamed) {
      const renamed = await sender.send({ name: nameOf("two"), from: 1 + count, count: 1 });
      changed = renamed.accepted.length > 0 && (await next.reach(1)) > 0 ? 1 : 0;
      if (outcomes.accepted.length > 0) {
        // What waits under the old name is there for who takes that name again.
        const back = await Receiver.start(site, input("one"));
        stranded = Math.min(fate.lost, await back.reach(outcomes.accepted.length));
      }
    }
    return {
      arrived: fate.arrived,
      refused: outcomes.refused.length + outcomes.unknown.length,
      stranded,
      lost: fate.lost - stranded,
      copies: fate.arrived === 0 ? undefined : after.length / fate.arrived,
      changed,
    };
  },
  expect: (findings) => findings.map(verdictOn),
});

/** Copies to both, or a share for each: until nothing more comes that should. */
async function takenByBoth(old: Receiver, next: Receiver, { accepted }: Outcomes): Promise<readonly Taken[]> {
  for (let before = -1; ; ) {
    const both = [...(await next.taken()), ...(await old.taken())];
    const seen = new Set(both.filter(({ n }) => n > 0).map(({ n }) => n)).size;
    if (seen === accepted.length || both.length === before) {
      // The other's copies of the last ones may be on their way.
      await next.reach(both.length + 1, briefMs);
      return [...(await next.taken()), ...(await old.taken())];
    }
    before = both.length;
    await Promise.race([next, old].map(async (each) => each.reach((await each.taken()).length + 1)));
  }
}

function verdictOn({ cell, values }: Finding): Verdict {
  const model = cell.model as Model;
  const mean = (measure: string): number =>
    values.reduce((sum, each) => sum + (each[measure] ?? 0), 0) / Math.max(1, values.length);
  const seen = `${mean("arrived")} of ${count} arrived, ${mean("refused")} refused, ${mean("stranded")} stranded, ${mean("lost")} lost, ${mean("copies").toFixed(2)} copies`;
  const whole = mean("arrived") === count && mean("lost") === 0;
  if (cell.change === "another name" && names[model]) {
    const kept = mean("refused") + mean("stranded") === count;
    return {
      claim: "nothing reaches a receiver of another name until the sender names it, and nothing is lost",
      cell,
      holds: mean("changed") === 1 && mean("arrived") === 0 && kept,
      seen,
    };
  }
  return {
    claim: "the sender goes on as before, and nothing is lost",
    cell,
    holds: whole && mean("changed") === 0,
    seen,
  };
}
