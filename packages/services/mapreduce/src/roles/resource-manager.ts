import { setTimeout as sleep } from "node:timers/promises";
import { type Bus, BusError } from "@quadrant/bus";
import { keepDoing, persist } from "../persistence.ts";
import { allocate } from "./fair-share.ts";
import { openLog } from "./job-log.ts";
import {
  beatMs,
  type Demand,
  demandPattern,
  type Grants,
  grantSubject,
  type NodeBeat,
  nodePattern,
} from "./subject.ts";

export interface ResourceManagerOptions {
  /** The end. */
  readonly signal: AbortSignal;
  /** A node, a job or another resource manager that has not been heard of for so long is gone. Default 5 000. */
  readonly silenceMs?: number | undefined;
}

/** Of the log, for one question: which resource manager has taken the seat last. */
const seat = "resource-manager.seat";

/**
 * Grants slots of nodes to jobs, by fair shares; until the signal. All it knows is what nodes and jobs tell again and again,
 * so that one that was killed is replaced by one that has listened for a moment. Of several the one that has taken the seat
 * last decides; the others stand by, and take it when that one has fallen silent.
 */
export async function runResourceManager(bus: Bus, options: ResourceManagerOptions): Promise<void> {
  await new ResourceManager(bus, options).run();
}

interface Heard<T> {
  readonly value: T;
  readonly at: number;
}

class ResourceManager {
  readonly #bus: Bus;
  readonly #signal: AbortSignal;
  readonly #silenceMs: number;
  readonly #nodes = new Map<string, Heard<readonly (string | null)[]>>();
  readonly #demands = new Map<string, Heard<number>>();
  /** Of the seat, where this one has it; 0 while it stands by. */
  #epoch = 0;
  #silentSince = performance.now();

  constructor(bus: Bus, { signal, silenceMs = 5_000 }: ResourceManagerOptions) {
    this.#bus = bus;
    this.#signal = signal;
    this.#silenceMs = silenceMs;
  }

  async run(): Promise<void> {
    const signal = this.#signal;
    const following = Promise.all([
      this.#follow<NodeBeat>(nodePattern, ({ node, slots }) => this.#hearNode(node, slots)),
      this.#follow<Demand>(demandPattern, ({ job, slots }) => this.#hearDemand(job, slots)),
      this.#follow<Grants>(grantSubject, ({ epoch }) => this.#hearGrants(epoch)),
    ]);
    try {
      await persist(() => this.#takeSeat(), signal);
      while (!signal.aborted) {
        await sleep(beatMs, undefined, { signal }).catch(() => undefined);
        if (this.#epoch > 0) this.#grant();
        else if (performance.now() - this.#silentSince > this.#silenceMs) await this.#takeSeat().catch(() => undefined);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await following;
    }
  }

  #follow<T>(subject: string, hear: (data: T) => void): Promise<void> {
    const signal = this.#signal;
    return keepDoing(async () => {
      for await (const { data } of await this.#bus.subscribe<T>(subject, { signal })) hear(data);
    }, signal);
  }

  /** Where another was quicker this one stands by. */
  async #takeSeat(): Promise<void> {
    const log = await openLog(this.#bus);
    const last = await log.last(seat);
    this.#silentSince = performance.now();
    try {
      const { seq } = await log.append(seat, { transitions: [] }, { expectLast: last?.seq ?? 0 });
      this.#epoch = seq;
      this.#grant();
    } catch (error) {
      if (!(error instanceof BusError) || error.code !== "conflict") throw error;
    }
  }

  #hearNode(node: string, slots: readonly (string | null)[]): void {
    const known = this.#nodes.get(node);
    if (slots.length === 0) this.#nodes.delete(node);
    else this.#nodes.set(node, { value: slots, at: performance.now() });
    if (known?.value.length !== slots.length) this.#grant();
  }

  #hearDemand(job: string, slots: number): void {
    const known = this.#demands.get(job);
    if (slots === 0) this.#demands.delete(job);
    else this.#demands.set(job, { value: slots, at: performance.now() });
    if ((known?.value ?? 0) !== slots) this.#grant();
  }

  #hearGrants(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#silentSince = performance.now();
    if (epoch > this.#epoch) this.#epoch = 0;
  }

  #grant(): void {
    if (this.#epoch === 0) return;
    const since = performance.now() - this.#silenceMs;
    for (const heard of [this.#nodes, this.#demands]) {
      for (const [name, { at }] of heard) if (at < since) heard.delete(name);
    }
    const valuesOf = <T>(heard: ReadonlyMap<string, Heard<T>>): Map<string, T> =>
      new Map([...heard].map(([name, { value }]) => [name, value]));
    const granted = allocate(valuesOf(this.#nodes), valuesOf(this.#demands));
    // What a node is about to tell is what it is granted: else two decisions in one turn would grant a slot twice.
    for (const [node, slots] of granted) this.#nodes.set(node, { value: slots, at: this.#nodes.get(node)!.at });
    const grants: Grants = { epoch: this.#epoch, nodes: Object.fromEntries(granted) };
    this.#bus.publish(grantSubject, grants).catch(() => undefined);
  }
}
