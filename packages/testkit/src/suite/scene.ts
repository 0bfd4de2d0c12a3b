import { randomUUID } from "node:crypto";
import { connect } from "@quadrant/bus";
import type { Bus, ConnectOptions } from "@quadrant/contract";
import type { Broker, Environment } from "./environment.ts";
import { guard } from "./guard.ts";

export type Connect = (url: string, options?: ConnectOptions) => Promise<Bus>;

export interface SceneOptions {
  /** How often what is repeated is repeated; 1 is as written. Default 1. */
  readonly scale?: number | undefined;
  /** Stands in for `connect` of @quadrant/bus: to run the clauses on something that has defects planted. */
  readonly connect?: Connect | undefined;
}

/** Two connections that the clauses of one concern share. */
export interface Pair {
  readonly bus: Bus;
  readonly other: Bus;
}

/** What one clause acts in: connections, fresh names, and an end that leaves nothing behind. */
export class Scene {
  readonly url: string;
  readonly bus: Bus;
  readonly other: Bus;
  readonly #environment: Environment;
  readonly #options: SceneOptions;
  readonly #owned: AsyncDisposable[] = [];

  constructor(environment: Environment, pair: Pair, options: SceneOptions) {
    this.url = environment.url;
    this.bus = pair.bus;
    this.other = pair.other;
    this.#environment = environment;
    this.#options = options;
  }

  /** For a connection of another process. */
  get options(): ConnectOptions {
    return this.#environment.options ?? {};
  }

  get broker(): Broker {
    const { broker } = this.#environment;
    if (broker === undefined) throw new Error("this clause needs an environment with a broker to do things to");
    return broker;
  }

  /** A name of one token that nobody else uses. */
  name(): string {
    return `c${randomUUID().replaceAll("-", "").slice(0, 16)}`;
  }

  /** How often to repeat something, scaled to the driver's speed. */
  rounds(count: number): number {
    return Math.max(10, Math.floor(count * (this.#options.scale ?? 1)));
  }

  /** A connection of the clause's own, closed at its end. */
  async connect(options: ConnectOptions = {}): Promise<Bus> {
    return this.own(await openBus(this.#environment, this.#options, options));
  }

  /** Disposed at the end of the clause, the last first. */
  own<T extends AsyncDisposable>(thing: T): T {
    this.#owned.push(thing);
    return thing;
  }

  async end(): Promise<void> {
    for (const thing of this.#owned.splice(0).reverse()) await guard(thing[Symbol.asyncDispose](), "a dispose to end");
  }
}

function openBus(environment: Environment, scene: SceneOptions, options: ConnectOptions): Promise<Bus> {
  return (scene.connect ?? connect)(environment.url, { ...environment.options, ...options });
}

export async function openPair(environment: Environment, options: SceneOptions): Promise<Pair> {
  const [bus, other] = await Promise.all([openBus(environment, options, {}), openBus(environment, options, {})]);
  return { bus, other };
}

export async function closePair(pair: Pair): Promise<void> {
  await Promise.all([pair.bus.close({ drainMs: 1_000 }), pair.other.close({ drainMs: 1_000 })]);
}
