import {
  BusError,
  type BusStatus,
  type Calls,
  type Driver,
  type DriverOptions,
  type Envelope,
  type Logs,
  type Queues,
  type Support,
  type Topics,
  type Tuples,
} from "@quadrant/contract";
import type { Engine, EngineSession } from "@quadrant/engine";
import { joinEngine } from "./shared-engine.ts";
import { support } from "./support.ts";
import { Turns } from "./turns.ts";

/** A connection to an engine of this process. */
export class MemoryDriver implements Driver {
  readonly name = "memory";
  readonly url: string;
  readonly support: Support = support;
  readonly maxPayloadBytes: number;
  readonly topics: Topics;
  readonly queues: Queues;
  readonly logs: Logs;
  readonly tuples: Tuples;
  readonly calls: Calls;
  readonly #engine: Engine;
  readonly #session: EngineSession;
  readonly #leave: () => void;
  readonly #turns = new Turns();
  #published = 0;
  #closed = false;

  constructor(name: string, url: string, options: DriverOptions) {
    const { engine, leave } = joinEngine(name);
    this.url = url;
    this.maxPayloadBytes = options.maxPayloadBytes;
    this.#engine = engine;
    this.#leave = leave;
    this.#session = engine.connect(options.name);
    const { topics, queues, logs, tuples, calls } = this.#session;
    this.topics = {
      publish: (envelope) => this.#publish(envelope),
      subscribe: (pattern, group, sink) => topics.subscribe(pattern, group, sink),
    };
    this.queues = this.#turns.pace(queues);
    this.logs = this.#turns.pace(logs);
    this.tuples = this.#turns.pace<Tuples>(tuples);
    this.calls = this.#turns.pace(calls);
  }

  async list(kind: "mailbox" | "log" | "space" | "blobs"): Promise<readonly string[]> {
    this.#assertOpen();
    return this.#session.list(kind);
  }

  /** What is published has been delivered already. */
  async flush(): Promise<void> {
    this.#assertOpen();
  }

  /** Nothing ever happens to a connection inside a process. */
  onStatus(_listener: (status: BusStatus) => void): void {}

  async describe(): Promise<Readonly<Record<string, unknown>>> {
    this.#assertOpen();
    return { ...this.#engine.describe(), published: this.#published };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#session.close();
    this.#leave();
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
