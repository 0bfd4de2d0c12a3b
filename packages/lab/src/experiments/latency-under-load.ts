/**
 * Latency under load: first how much goes through with 64 in flight, then messages at a share of that, each sent when it is
 * due. Measures: `capacity`; `achieved`, the share of the offered that was handled; `p50Ms` to `p9999Ms`, from when each was
 * due to when it was handled, so that a sender that falls behind does not hide it (coordinated omission).
 */
import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import { LoadReceiver, LoadSender } from "./cast.ts";
import {
  defineExperiment,
  driverNames,
  type Experiment,
  type Finding,
  type Model,
  models,
  type Verdict,
} from "./experiment.ts";

const pad = 128;
const percentiles = { p50Ms: 50, p90Ms: 90, p99Ms: 99, p999Ms: 99.9, p9999Ms: 99.99 } as const;
type Percentiles = { readonly [K in keyof typeof percentiles]: number };

export const latencyUnderLoad: Experiment = defineExperiment({
  name: "latency-under-load",
  question: "How long is a message on its way at 10 to 90 % of what goes through at most?",
  factors: { model: models, driver: driverNames, loadPercent: [10, 50, 90] },
  quick: { loadPercent: [50] },
  measure: {
    capacity: { unit: "1/s", better: "more", label: "messages a second at most" },
    achieved: { unit: "of 1", better: "more", label: "handled of what was offered" },
    p50Ms: { unit: "ms", better: "less", label: "median" },
    p90Ms: { unit: "ms", better: "less", label: "90th percentile" },
    p99Ms: { unit: "ms", better: "less", label: "99th percentile" },
    p999Ms: { unit: "ms", better: "less", label: "99.9th percentile" },
    p9999Ms: { unit: "ms", better: "less", label: "99.99th percentile" },
  },
  run: async (cell, site) => {
    const model = cell.model as Model;
    const name = site.name;
    const receiver = await LoadReceiver.start(site, { model, name });
    const sender = await LoadSender.start(site, model);
    const probeMs = site.quick ? 120 : 250;
    const probe = await sender.flood({ name, pad, inFlight: 64, forMs: probeMs });
    await receiver.reach(probe.accepted, 500);
    const probed = await receiver.tally();
    const capacity = (probed.count * 1_000) / Math.max(1, probed.lastMs - probed.firstMs);
    await receiver.reset();
    const perSecond = Math.max(10, (capacity * Number(cell.loadPercent)) / 100);
    const offered = await sender.offer({ name, pad, perSecond, forMs: site.quick ? 200 : 1_000 });
    await receiver.reach(offered.accepted, 1_000);
    const { count, latency } = await receiver.tally();
    const histogram = decodeFromCompressedBase64(latency);
    const at = Object.fromEntries(
      Object.entries(percentiles).map(([key, percent]) => [key, histogram.getValueAtPercentile(percent) / 1_000]),
    ) as unknown as Percentiles;
    return { capacity, achieved: count / (offered.accepted + offered.refused), ...at };
  },
  expect: (findings) => findings.map(verdictOn),
});

function verdictOn({ cell, values }: Finding): Verdict {
  const least = Math.min(...values.map((each) => each.achieved ?? 0));
  const why =
    cell.model === "publish-subscribe"
      ? "a subscriber that falls behind by its buffer drops the oldest, and counts them"
      : undefined;
  return {
    claim: "everything offered is handled",
    cell,
    holds: least === 1,
    seen: `${(least * 100).toFixed(2)} % handled`,
    why,
  };
}
