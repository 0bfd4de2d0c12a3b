/** Messages from a producer to a consumer, in processes of their own or in one. */
import type { Sample, Scale } from "../case.ts";
import { gauge, lossesOf } from "../gauge.ts";
import { type BrokerUse, Scope } from "../scope.ts";
import type { InletWay, OutletWay } from "../ways/way.ts";

/** Undelivered messages at most: so many are on their way that no process waits for another, and queues stay short. */
export function windowOf(bytes: number): number {
  return bytes > 1_024 ? 2_048 : 16_384;
}

export interface Flow {
  readonly produce: OutletWay;
  readonly consume: InletWay;
  readonly bytes: number;
  readonly inFlight: number | "unbounded";
  /** Undefined: none, the producer listens itself. */
  readonly broker: BrokerUse | undefined;
}

/** Producer, broker and consumer in three processes; messages a second that the consumer has settled. */
export function measureFlow(flow: Flow, scale: Scale): Promise<Sample> {
  const { bytes, inFlight } = flow;
  return Scope.within(async (scope) => {
    const broker = flow.broker === undefined ? undefined : await scope.broker(flow.broker);
    const producer = await scope.role("producer");
    const consumer = await scope.role("consumer");
    const window = windowOf(bytes);
    const opened = await producer.ask<{ port: number; url?: string }>("open", {
      ...{ way: flow.produce, url: broker?.url, bytes, window },
    });
    const url = broker?.url ?? opened.url;
    await consumer.ask("open", { way: flow.consume, url, port: opened.port, every: window / 32 });
    await producer.ask("start", { inFlight });
    const { perSecond, cores } = await gauge(scope, scale, consumer, "mark");
    const produced = await producer.ask<number>("stop");
    return { value: perSecond, cores, lost: await lossesOf(consumer, produced) };
  });
}

export interface EmbeddedFlow {
  /** Gets a fresh folder; undefined: the bare queue. */
  readonly urlOf?: ((folder: string) => string) | undefined;
  readonly bytes: number;
  readonly inFlight: number;
  readonly window: number;
}

/** Sender and receiver in one process; letters a second that were acknowledged. */
export function measureEmbedded(flow: EmbeddedFlow, scale: Scale): Promise<Sample> {
  const { urlOf, bytes, inFlight, window } = flow;
  return Scope.within(async (scope) => {
    const url = urlOf?.(await scope.folder());
    const pair = await scope.role("pair");
    await pair.ask("open", { url, bytes, window });
    await pair.ask("start", { inFlight });
    const { perSecond, cores } = await gauge(scope, scale, pair, "mark");
    const produced = await pair.ask<number>("stop");
    return { value: perSecond, cores, lost: await lossesOf(pair, produced) };
  });
}
