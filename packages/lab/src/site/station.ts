import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConnectOptions } from "@quadrant/bus";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { type FaultProxy, faultProxy } from "@quadrant/testkit/faults";
import type { BrokerNeeds, DriverName, Outages } from "../experiments/experiment.ts";
import { oneProcess } from "./part.ts";

/** Where parts connect to, and what can happen to it. Lasts for as many repetitions as need the same. */
export interface Station extends AsyncDisposable {
  readonly outages: Outages;
  /** Of the server; undefined where there is none. */
  readonly version: string | undefined;
  /** Parts in the lab's process meet here. `name` is that of the repetition. */
  urlFor(name: string): string;
  readonly options: ConnectOptions;
  /** After a repetition: whatever was done to it is undone. */
  mend(): Promise<void>;
}

/** A broker in a process of its own, where wanted with a proxy before it. */
class BrokerStation implements Station {
  readonly #broker: StartedBroker;
  readonly #proxy: FaultProxy | undefined;
  #down = false;
  #paused = false;
  #troubled = false;

  constructor(broker: StartedBroker, proxy: FaultProxy | undefined) {
    this.#broker = broker;
    this.#proxy = proxy;
  }

  get version(): string {
    return this.#broker.version;
  }

  get options(): ConnectOptions {
    return this.#broker.options;
  }

  urlFor(): string {
    return this.#proxy?.url ?? this.#broker.url;
  }

  #network(): FaultProxy {
    if (this.#proxy !== undefined) return this.#proxy;
    throw new Error("an experiment that troubles the network says so: broker: { network: true }");
  }

  readonly outages: Outages = {
    kill: async () => {
      this.#down = true;
      await this.#broker.kill();
    },
    restart: async () => {
      await this.#broker.restart();
      this.#down = false;
    },
    pause: async () => {
      this.#paused = true;
      await this.#broker.pause();
    },
    resume: async () => {
      await this.#broker.resume();
      this.#paused = false;
    },
    cut: async () => {
      this.#troubled = true;
      await this.#network().cut();
    },
    heal: async () => {
      await this.#network().heal();
      this.#troubled = false;
    },
    delay: async (ms) => {
      this.#troubled = true;
      const { up, down } = this.#network();
      for (const direction of [up, down]) direction.delay(ms);
    },
  };

  async mend(): Promise<void> {
    if (this.#paused) await this.outages.resume();
    if (this.#down) await this.outages.restart();
    if (this.#troubled) await this.outages.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy?.close();
    await this.#broker[Symbol.asyncDispose]();
  }
}

function refused(): Promise<never> {
  return Promise.reject(oneProcess("it has no broker that could fail"));
}

const noOutages: Outages = {
  kill: refused,
  restart: refused,
  pause: refused,
  resume: refused,
  cut: refused,
  heal: refused,
  delay: refused,
};

/** `memory:` and `file:`: each repetition has an engine of its own. */
class EmbeddedStation implements Station {
  readonly outages = noOutages;
  readonly version = undefined;
  readonly options: ConnectOptions = {};
  readonly #folder: string | undefined;

  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  urlFor(name: string): string {
    return this.#folder === undefined ? `memory:${name}` : `file:${join(this.#folder, name)}`;
  }

  async mend(): Promise<void> {
    // Nothing can have happened to it.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Starts what the driver needs. Rejects where there is no such broker on this machine, with the ways to have one. */
export async function openStation(driver: DriverName, { durable, network }: BrokerNeeds): Promise<Station> {
  if (driver === "memory") return new EmbeddedStation(undefined);
  if (driver === "file") return new EmbeddedStation(await mkdtemp(join(tmpdir(), "quadrant-lab-")));
  const kept = durable === true ? (driver === "redis" ? "always" : true) : driver !== "zeromq";
  const broker = await startBroker(driver, { durable: kept });
  try {
    return new BrokerStation(broker, network === true ? await faultProxy(broker.url) : undefined);
  } catch (error) {
    await broker[Symbol.asyncDispose]();
    throw error;
  }
}
