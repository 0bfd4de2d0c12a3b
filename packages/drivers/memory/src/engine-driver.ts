import {
  BusError,
  type BusStatus,
  type Calls,
  type DirectTuples,
  type Driver,
  type DriverOptions,
  type Envelope,
  type Logs,
  type Queues,
  type Support,
  type Topics,
  type Tuples,
} from "@quadrant/contract";
import type { EngineSession } from "@quadrant/engine";
import { EngineBlobs } from "./engine-blobs.ts";
import type { JoinedEngine } from "./shared-engine.ts";
import { Turns } from "./turns.ts";

/** A connection to an engine of this process. */
export class EngineDriver implements Driver {
  readonly name: "memory" | "file";
  readonly url: string;
  readonly support: Support;
  readonly maxPayloadBytes: number;
  readonly topics: Topics;
  readonly queues: Queues;
  readonly logs: Logs;
  readonly tuples: Tuples;
  readonly calls: Calls;
  readonly blobs: EngineBlobs;
  readonly #joined: JoinedEngine;
  readonly #session: EngineSession;
  readonly #turns = new Turns();
  #published = 0;
  #closed = false;
  #left: Promise<void> = Promise.resolve();

  constructor(name: "memory" | "file", url: string, support: Support, joined: JoinedEngine, options: DriverOptions) {
    this.name = name;
    this.url = url;
    this.support = support;
    this.maxPayloadBytes = options.maxPayloadBytes;
    this.#joined = joined;
    this.#session = joined.engine.connect(options.name);
    const { topics, queues, logs, tuples, directTuples, calls } = this.#session;
    this.topics = {
      publish: (envelope) => this.#publish(envelope),
      subscribe: (pattern, group, sink) => topics.subscribe(pattern, group, sink),
    };
    this.queues = {
      ...this.#turns.pace(queues),
      fetch: (address, request) => this.#turns.paceMany(queues.fetch(address, request)),
      local: (address) => this.#turns.paceLocal(queues.local!(address)),
    };
    this.logs = this.#turns.pace(logs);
    this.tuples = { ...this.#turns.pace<Tuples>(tuples), direct: this.#direct(directTuples) };
    this.calls = this.#turns.pace(calls);
    this.blobs = new EngineBlobs(joined.blobs, this.#turns);
  }

  async list(kind: "mailbox" | "log" | "space" | "blobs"): Promise<readonly string[]> {
    this.#assertOpen();
    return kind === "blobs" ? this.#joined.blobs.names() : this.#session.list(kind);
  }

  /** What is published has been delivered already. */
  async flush(): Promise<void> {
    this.#assertOpen();
  }

  /** Nothing ever happens to a connection inside a process. */
  onStatus(_listener: (status: BusStatus) => void): void {}

  async describe(): Promise<Readonly<Record<string, unknown>>> {
    this.#assertOpen();
    const { engine, blobs } = this.#joined;
    return { ...engine.describe(), blobs: blobs.describe(), published: this.#published };
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#session.close();
      // Left at once: who opens the place in the same turn waits for it.
      this.#left = Promise.all([this.blobs.close(), this.#joined.leave()]).then(() => undefined);
    }
    return this.#left;
  }

  /** What is refused at once is thrown at once. */
  #direct(tuples: DirectTuples): DirectTuples {
    const turns = this.#turns;
    return {
      out: (space, tuple, leaseMs, wait) => turns.answer(tuples.out(space, tuple, leaseMs, wait)),
      take: (space, template, wait) => turns.answer(tuples.take(space, template, wait)),
      read: (space, template, wait) => turns.answer(tuples.read(space, template, wait)),
      takeNow: (space, template) => turns.answer(tuples.takeNow(space, template)),
      readNow: (space, template) => turns.answer(tuples.readNow(space, template)),
    };
  }

  #publish(envelope: Envelope): Promise<void> | undefined {
    const refused = this.#session.topics.publish(envelope);
    if (refused !== undefined) return refused;
    this.#published++;
    return this.#turns.take();
  }

  #assertOpen(): void {
    if (this.#closed) {
      throw new BusError("closed", "the connection has been closed: connect again", { driver: this.name });
    }
  }
}
