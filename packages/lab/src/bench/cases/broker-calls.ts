/** Caller, broker and server in three processes. */
import type { Bar, Sample, Scale, Variant } from "../case.ts";
import { gaugeCaller } from "../gauge.ts";
import { percentileUs } from "../latency.ts";
import { type BrokerUse, Scope } from "../scope.ts";
import type { ErrandWay, ServiceWay } from "../ways/way.ts";

export interface Asking {
  readonly errand: ErrandWay;
  /** Undefined: the broker answers by itself. */
  readonly service: ServiceWay | undefined;
  readonly broker: BrokerUse;
  readonly bytes: number;
  readonly inFlight: number;
}

/** Operations a second, each answered. */
function measureAsking({ errand, service, broker, bytes, inFlight }: Asking, scale: Scale): Promise<Sample> {
  return Scope.within(async (scope) => {
    const { url } = await scope.broker(broker);
    if (service !== undefined) await (await scope.role("server")).ask("open", { way: service, url });
    const caller = await scope.role("caller");
    await caller.ask("open", { way: errand, url, bytes });
    const sample = await gaugeCaller(scope, scale, caller, inFlight);
    const { latency } = sample;
    return { ...sample, figures: { "p50 µs": percentileUs(latency, 50), "p99 µs": percentileUs(latency, 99) } };
  });
}

export function asking(name: string, what: Asking, bars: readonly Bar[] = []): Variant {
  return { name, bars, measure: (scale) => measureAsking(what, scale) };
}
