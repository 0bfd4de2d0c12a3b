import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bus } from "@quadrant/bus";
import { keepDoing } from "../persistence.ts";
import { removeAbandonedScratch } from "./scratch.ts";
import {
  beatMs,
  type Grants,
  grantSubject,
  type NodeBeat,
  nodeSubject,
  type WorkerBeat,
  workerSubject,
} from "./subject.ts";

/** A worker that was started, in a process of its own or in this one. */
export interface StartedWorker {
  /** Resolves, however it ended, with how: "exit code 1", "SIGKILL". */
  readonly ended: Promise<string>;
  /** Ends it at once. Harmless when it has ended. */
  kill(): void;
}

/** Starts the worker of a slot. */
export type StartWorker = (node: string, slot: number) => StartedWorker;

export interface NodeManagerOptions {
  /** Of this node, one token. Default: the host's name and the process's id. */
  readonly node?: string | undefined;
  /** How many workers it keeps. */
  readonly slots: number;
  readonly start: StartWorker;
  /** The end. */
  readonly signal: AbortSignal;
  /** A worker that has not been heard of for so long, after it was, is killed. Default 20 000. */
  readonly silenceMs?: number | undefined;
  /** A worker has died and is started anew. */
  readonly onDeath?: ((slot: number, how: string) => void) | undefined;
}

/** So many deaths of one slot without a sign of life in between are no accident. */
const deathsInARow = 5;
const restartMs = 100;

/** A name that no other node has, as part of a subject. */
export function newNodeName(): string {
  return `${hostname().replace(/[^A-Za-z0-9]+/g, "-")}-${process.pid}`;
}

/**
 * Keeps the workers of this node, one a slot: starts them, starts them anew when they die, kills those that have stopped; tells
 * everybody which slots there are, and to which jobs they are granted; until the signal. Rejects when workers die as soon as
 * they begin.
 */
export async function runNodeManager(bus: Bus, options: NodeManagerOptions): Promise<void> {
  await new NodeManager(bus, options).run();
}

class NodeManager {
  readonly #bus: Bus;
  readonly #options: NodeManagerOptions;
  readonly #node: string;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #slots: Slot[];
  #jobs: readonly (string | null)[];
  /** Of the resource manager that was heard of last. */
  #epoch = 0;

  constructor(bus: Bus, options: NodeManagerOptions) {
    this.#bus = bus;
    this.#options = options;
    this.#node = options.node ?? newNodeName();
    this.#signal = AbortSignal.any([options.signal, this.#end.signal]);
    this.#jobs = Array.from({ length: options.slots }, () => null);
    this.#slots = this.#jobs.map(() => ({ worker: undefined, heardAt: undefined, deaths: 0 }));
  }

  async run(): Promise<void> {
    const signal = this.#signal;
    const following = Promise.all([
      this.#follow<WorkerBeat>(workerSubject(this.#node), (beat) => this.#hearWorker(beat)),
      this.#follow<Grants>(grantSubject, (grants) => this.#hearGrants(grants)),
    ]);
    const workers = this.#slots.map((slot, index) => this.#keep(slot, index));
    try {
      const beating = this.#beat();
      await Promise.all([...workers, beating]);
    } finally {
      this.#end.abort();
      for (const { worker } of this.#slots) worker?.kill();
      await Promise.allSettled([...workers, following]);
      await this.#tell([]);
    }
    if (!signal.aborted) throw new Error("a node manager ended without being asked to");
  }

  #follow<T>(subject: string, hear: (data: T) => void): Promise<void> {
    const signal = this.#signal;
    return keepDoing(async () => {
      for await (const { data } of await this.#bus.subscribe<T>(subject, { signal })) hear(data);
    }, signal);
  }

  async #beat(): Promise<void> {
    const { silenceMs = 20_000 } = this.#options;
    while (!this.#signal.aborted) {
      await this.#tell(this.#jobs);
      for (const { worker, heardAt } of this.#slots) {
        if (heardAt !== undefined && performance.now() - heardAt > silenceMs) worker?.kill();
      }
      await sleep(beatMs, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  /** One worker after another. */
  async #keep(slot: Slot, index: number): Promise<void> {
    while (!this.#signal.aborted) {
      slot.heardAt = undefined;
      slot.worker = this.#options.start(this.#node, index);
      const stop = (): void => slot.worker?.kill();
      this.#signal.addEventListener("abort", stop, { once: true });
      const how = await slot.worker.ended;
      await removeAbandonedScratch();
      this.#signal.removeEventListener("abort", stop);
      if (this.#signal.aborted) return;
      if (++slot.deaths >= deathsInARow) throw new Error(`${slot.deaths} workers died one after the other of ${how}`);
      this.#options.onDeath?.(index, how);
      await sleep(restartMs * slot.deaths, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  #hearWorker({ slot: index }: WorkerBeat): void {
    const slot = this.#slots[index];
    if (slot === undefined) return;
    const isNew = slot.heardAt === undefined;
    slot.heardAt = performance.now();
    slot.deaths = 0;
    // It need not wait to learn what it is for.
    if (isNew) void this.#tell(this.#jobs);
  }

  #hearGrants({ epoch, nodes }: Grants): void {
    const granted = nodes[this.#node];
    if (epoch < this.#epoch || granted?.length !== this.#jobs.length) return;
    this.#epoch = epoch;
    if (granted.every((job, slot) => job === this.#jobs[slot])) return;
    this.#jobs = granted;
    void this.#tell(granted);
  }

  async #tell(slots: readonly (string | null)[]): Promise<void> {
    const beat: NodeBeat = { node: this.#node, slots };
    await this.#bus.publish(nodeSubject(this.#node), beat).catch(() => undefined);
  }
}

interface Slot {
  worker: StartedWorker | undefined;
  /** Of this worker; undefined so far. */
  heardAt: number | undefined;
  deaths: number;
}
