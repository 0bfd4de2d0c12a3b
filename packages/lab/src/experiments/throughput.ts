/**
 * Throughput against payload, senders, receivers and the window of what a sender has under way: one of them at a time, from
 * one sender, one receiver, 1 KiB and 64 in flight. Measures: `perSecond`, messages that receivers have handled in a second
 * (copies count); `mibPerSecond`; `lost`, of what was accepted and should have come.
 */
import { max, min, sum } from "simple-statistics";
import { LoadReceiver, LoadSender } from "./cast.ts";
import {
  type Cell,
  defineExperiment,
  driverNames,
  type Experiment,
  type Finding,
  type Level,
  type Model,
  models,
  type Verdict,
} from "./experiment.ts";

const usual: Readonly<Record<string, Level>> = { payloadBytes: 1_024, senders: 1, receivers: 1, inFlight: 64 };

export const throughput: Experiment = defineExperiment({
  name: "throughput",
  question: "How many messages a second go through, by size, senders, receivers, and what is under way at once?",
  factors: {
    model: models,
    driver: driverNames,
    payloadBytes: [64, 1_024, 32_768, 1_048_576],
    senders: [1, 4],
    receivers: [1, 4],
    inFlight: [1, 64],
  },
  quick: { payloadBytes: [1_024], senders: [1], receivers: [1], inFlight: [64] },
  measure: {
    perSecond: { unit: "1/s", better: "more", label: "messages handled a second" },
    mibPerSecond: { unit: "MiB/s", better: "more", label: "payload a second" },
    lost: { unit: "messages", better: "less", label: "lost" },
  },
  omit: (cell: Cell) => {
    const others = Object.keys(usual).filter((factor) => cell[factor] !== usual[factor]);
    return others.length > 1 ? "one factor at a time is varied" : undefined;
  },
  run: async (cell: Cell, site) => {
    const model = cell.model as Model;
    const [pad, senders, receivers, inFlight] = ["payloadBytes", "senders", "receivers", "inFlight"].map((factor) =>
      Number(cell[factor]),
    ) as [number, number, number, number];
    const name = site.name;
    const takers = await Promise.all(
      Array.from({ length: receivers }, () => LoadReceiver.start(site, { model, name })),
    );
    const puts = await Promise.all(
      Array.from({ length: senders }, (_, n) => LoadSender.start(site, model, `sender-${n}`)),
    );
    const flood = { name, pad, inFlight: Math.max(1, Math.round(inFlight / senders)) };
    await Promise.all(puts.map((sender) => sender.flood({ ...flood, forMs: site.quick ? 50 : 100 })));
    await Promise.all(takers.map((taker) => taker.reach(Number.POSITIVE_INFINITY, 100)));
    await Promise.all(takers.map((taker) => taker.reset()));
    const offered = await Promise.all(puts.map((sender) => sender.flood({ ...flood, forMs: site.quick ? 150 : 400 })));
    const accepted = sum(offered.map((each) => each.accepted));
    const copies = model === "publish-subscribe" ? receivers : 1;
    await Promise.all(
      takers.map((taker) => taker.reach(copies > 1 || receivers === 1 ? accepted : Number.POSITIVE_INFINITY, 300)),
    );
    const tallies = (await Promise.all(takers.map((taker) => taker.tally()))).filter(({ count }) => count > 0);
    const handled = sum(tallies.map(({ count }) => count));
    const seconds = (max(tallies.map(({ lastMs }) => lastMs)) - min(tallies.map(({ firstMs }) => firstMs))) / 1_000;
    const perSecond = handled / Math.max(seconds, 0.001);
    return { perSecond, mibPerSecond: (perSecond * pad) / 1_048_576, lost: Math.max(0, accepted * copies - handled) };
  },
  expect: (findings) => findings.map(verdictOn),
});

function verdictOn({ cell, values }: Finding): Verdict {
  const lost = sum(values.map((each) => each.lost ?? 0));
  const seen = `${lost} lost`;
  // A subscriber that falls behind drops the oldest: that is its bound.
  const why =
    cell.model === "publish-subscribe"
      ? "a subscriber that falls behind by its buffer drops the oldest, and counts them"
      : undefined;
  return { claim: "everything accepted is handled", cell, holds: lost === 0, seen, why };
}
