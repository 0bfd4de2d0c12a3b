/** The ways by their names. A role loads the clients of its own way alone: others would cost memory and start-up. */
import type { Errand } from "../caller.ts";
import type { OpenInlet } from "../consumer.ts";
import type { Outlet } from "../producer.ts";
import { peers } from "./peers.ts";

const outlets = {
  /** Listens itself: gets no URL. */
  zeromq: async (): Promise<Outlet> => (await import("./raw-flow.ts")).rawPublishing(),
  nats: async (url: string): Promise<Outlet> => (await import("./nats-raw.ts")).natsPublishing(url),
  jetstream: async (url: string): Promise<Outlet> => (await import("./nats-raw.ts")).natsStoring(url),
  redis: async (url: string): Promise<Outlet> => (await import("./redis-raw.ts")).redisPublishing(url),
  streams: async (url: string): Promise<Outlet> => (await import("./redis-raw.ts")).redisStoring(url),
  publish: async (url: string): Promise<Outlet> => {
    const { open, publishing } = await import("./bus-flow.ts");
    return publishing(await open(url));
  },
  moleculer: async (url: string): Promise<Outlet> => (await peers.moleculer()).emitting(url),
  nest: async (url: string): Promise<Outlet> => (await peers.nest()).emitting(url),
  bullmq: async (url: string): Promise<Outlet> => (await peers.bullmq()).adding(url),
  send: async (url: string): Promise<Outlet> => {
    const { open, sending } = await import("./bus-flow.ts");
    return sending(await open(url));
  },
};

const inlets = {
  zeromq: async (url: string): Promise<OpenInlet> => (await import("./raw-flow.ts")).rawSubscribing(url),
  nats: async (url: string): Promise<OpenInlet> => (await import("./nats-raw.ts")).natsSubscribing(url),
  jetstream: async (url: string): Promise<OpenInlet> => (await import("./nats-raw.ts")).natsConsuming(url),
  redis: async (url: string): Promise<OpenInlet> => (await import("./redis-raw.ts")).redisSubscribing(url),
  streams: async (url: string): Promise<OpenInlet> => (await import("./redis-raw.ts")).redisConsuming(url),
  subscribe: async (url: string): Promise<OpenInlet> => {
    const { open, subscribing } = await import("./bus-flow.ts");
    return subscribing(await open(url));
  },
  moleculer: async (url: string): Promise<OpenInlet> => (await peers.moleculer()).listening(url),
  nest: async (url: string): Promise<OpenInlet> => (await peers.nest()).listening(url),
  bullmq: async (url: string): Promise<OpenInlet> => (await peers.bullmq()).working(url),
  receive: async (url: string): Promise<OpenInlet> => {
    const { open, receiving } = await import("./bus-flow.ts");
    return receiving(await open(url));
  },
};

const errands = {
  zeromq: async (url: string, bytes: number): Promise<Errand> => (await import("./raw-call.ts")).rawCalls(url, bytes),
  "zeromq loops": async (url: string, bytes: number): Promise<Errand> =>
    (await import("./raw-call.ts")).rawLoops(url, bytes),
  "zeromq packed": async (url: string, bytes: number): Promise<Errand> =>
    (await import("./packed-call.ts")).packedCalls(url, bytes),
  nats: async (url: string, bytes: number): Promise<Errand> => (await import("./nats-raw.ts")).natsRequests(url, bytes),
  jetstream: async (url: string, bytes: number): Promise<Errand> =>
    (await import("./nats-raw.ts")).natsAppends(url, bytes),
  redis: async (url: string, bytes: number): Promise<Errand> =>
    (await import("./redis-raw.ts")).redisRequests(url, bytes),
  moleculer: async (url: string, bytes: number): Promise<Errand> => (await peers.moleculer()).calls(url, bytes),
  nest: async (url: string, bytes: number): Promise<Errand> => (await peers.nest()).calls(url, bytes),
  call: async (url: string, bytes: number): Promise<Errand> => {
    const [{ open }, { calls }] = await Promise.all([import("./bus-flow.ts"), import("./bus-errand.ts")]);
    return calls(await open(url), bytes);
  },
  append: async (url: string, bytes: number): Promise<Errand> => {
    const [{ open }, { appends }] = await Promise.all([import("./bus-flow.ts"), import("./bus-errand.ts")]);
    return appends(await open(url), bytes);
  },
  pair: async (url: string): Promise<Errand> => {
    const [{ open }, { pairs }] = await Promise.all([import("./bus-flow.ts"), import("./bus-errand.ts")]);
    return pairs(await open(url), "bench-pairs");
  },
};

const services = {
  /** Resolves with where it listens. */
  zeromq: async (): Promise<string | undefined> => (await import("./raw-call.ts")).rawServing(),
  "zeromq packed": async (): Promise<string | undefined> => (await import("./packed-call.ts")).packedServing(),
  nats: async (url: string): Promise<undefined> => void (await (await import("./nats-raw.ts")).natsServing(url)),
  redis: async (url: string): Promise<undefined> => void (await (await import("./redis-raw.ts")).redisServing(url)),
  moleculer: async (url: string): Promise<undefined> => void (await (await peers.moleculer()).serving(url)),
  nest: async (url: string): Promise<undefined> => void (await (await peers.nest()).serving(url)),
  call: async (url: string): Promise<undefined> => {
    const [{ open }, { serving }] = await Promise.all([import("./bus-flow.ts"), import("./bus-errand.ts")]);
    await serving(await open(url));
  },
};

/** How a message is put. */
export type OutletWay = keyof typeof outlets;
/** How messages are got. */
export type InletWay = keyof typeof inlets;
/** What is asked for and answered. */
export type ErrandWay = keyof typeof errands;
/** Who answers calls. */
export type ServiceWay = keyof typeof services;

export function openOutlet(way: OutletWay, url: string): Promise<Outlet> {
  return outlets[way](url);
}

export function openInlet(way: InletWay, url: string): Promise<OpenInlet> {
  return inlets[way](url);
}

export function openErrand(way: ErrandWay, url: string, bytes: number): Promise<Errand> {
  return errands[way](url, bytes);
}

/** Resolves, once calls can arrive, with where it listens where that is not the broker. */
export function openService(way: ServiceWay, url: string): Promise<string | undefined> {
  return services[way](url);
}
