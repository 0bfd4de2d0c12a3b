import { type Bus, type ConnectOptions, connect } from "@quadrant/bus";
import type { BrokerNeeds, DriverName, Outages, Part, RoleModule, Site } from "../experiments/experiment.ts";
import { HostPool } from "./host-pool.ts";
import { LocalPart, ProcessPart } from "./part.ts";
import type { Role } from "./role.ts";
import { openStation, type Station } from "./station.ts";

export interface SiteTerms {
  readonly driver: DriverName;
  readonly needs: BrokerNeeds;
  /** No two repetitions share one: a token of a subject. */
  readonly name: string;
  readonly seed: number;
  readonly quick: boolean;
  readonly signal: AbortSignal;
}

export interface OpenSite extends Site, AsyncDisposable {}

/** Patient with brokers that are away, which is what many experiments are about. */
const patience: ConnectOptions = { timeoutMs: 20_000, requestTimeoutMs: 15_000, name: "lab" };

class LabSite implements OpenSite {
  readonly driver: DriverName;
  readonly name: string;
  readonly seed: number;
  readonly quick: boolean;
  readonly signal: AbortSignal;
  readonly #station: Station;
  readonly #hosts: HostPool;
  readonly #change: (bus: Bus) => Bus;
  readonly #parts: Part[] = [];

  constructor(terms: SiteTerms, station: Station, hosts: HostPool, change: (bus: Bus) => Bus) {
    this.driver = terms.driver;
    this.name = terms.name;
    this.seed = terms.seed;
    this.quick = terms.quick;
    this.signal = terms.signal;
    this.#station = station;
    this.#hosts = hosts;
    this.#change = change;
  }

  get broker(): Outages {
    return this.#station.outages;
  }

  async start(role: RoleModule, input?: unknown): Promise<Part> {
    this.signal.throwIfAborted();
    const url = this.#station.urlFor(this.name);
    const options = { ...patience, ...this.#station.options };
    const embedded = this.driver === "memory" || this.driver === "file";
    const part = embedded ? await this.#here(role, url, options, input) : await this.#apart(role, url, options, input);
    this.#parts.push(part);
    return part;
  }

  async #here(module: RoleModule, url: string, options: ConnectOptions, input: unknown): Promise<Part> {
    const { default: role } = (await import(module.href)) as { default: Role<unknown> };
    const bus = await connect(url, options);
    try {
      return new LocalPart(bus, await role.play(this.#change(bus), input));
    } catch (error) {
      await bus.close({ drainMs: 0 });
      throw error;
    }
  }

  async #apart(role: RoleModule, url: string, options: ConnectOptions, input: unknown): Promise<Part> {
    const host = await this.#hosts.take();
    try {
      await host.ask("begin", { module: role.href, url, options, input });
      return new ProcessPart(host, this.#hosts);
    } catch (error) {
      await this.#hosts.end(host);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A part could not say goodbye to a broker that is away.
    await this.#station.mend();
    await Promise.all(this.#parts.splice(0).map((part) => part[Symbol.asyncDispose]()));
  }
}

/** What all repetitions of a run share: brokers, and processes that play their parts. */
export class Sites implements AsyncDisposable {
  readonly #stations = new Map<string, Promise<Station>>();
  readonly #hosts = new HostPool();
  readonly #change: (bus: Bus) => Bus;

  /** `change`: what the parts of embedded drivers get in place of their bus, to see whether an experiment notices. */
  constructor(change: (bus: Bus) => Bus = (bus) => bus) {
    this.#change = change;
  }

  /** Rejects where there is no such broker on this machine. */
  async open(terms: SiteTerms): Promise<OpenSite> {
    return new LabSite(terms, await this.#station(terms), this.#hosts, this.#change);
  }

  /** Of the servers that were started, by driver. */
  async versions(): Promise<Readonly<Record<string, string>>> {
    const versions: Record<string, string> = {};
    for (const [key, opening] of this.#stations) {
      const version = (await opening.catch(() => undefined))?.version;
      if (version !== undefined) versions[key.split(" ")[0]!] = version;
    }
    return versions;
  }

  #station({ driver, needs }: SiteTerms): Promise<Station> {
    const key = [driver, needs.durable && "durable", needs.network && "network"].filter(Boolean).join(" ");
    let station = this.#stations.get(key);
    if (station === undefined) {
      station = openStation(driver, needs);
      this.#stations.set(key, station);
    }
    return station;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hosts[Symbol.asyncDispose]();
    for (const opening of this.#stations.values()) {
      const station = await opening.catch(() => undefined);
      await station?.[Symbol.asyncDispose]();
    }
    this.#stations.clear();
  }
}
