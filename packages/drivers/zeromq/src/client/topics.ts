import {
  type Envelope,
  isBusError,
  type Outbox,
  type Registration,
  type TopicSink,
  type Topics,
} from "@quadrant/contract";
import { WireEnvelope } from "../wire/envelope.ts";
import { Operation } from "../wire/operation.ts";
import { RecordKind } from "../wire/record.ts";
import { toldError } from "../wire/values.ts";
import type { Requests } from "./requests.ts";
import type { Restorer } from "./restorer.ts";

/** Topics over the hub: it matches and shares out; here a message finds its subscription by number. */
export class ClientTopics implements Topics {
  readonly #requests: Requests;
  readonly #outbox: Outbox;
  readonly #restorer: Restorer;
  readonly #sinks = new Map<number, TopicSink>();
  #nextId = 1;

  constructor(requests: Requests, outbox: Outbox, restorer: Restorer) {
    this.#requests = requests;
    this.#outbox = outbox;
    this.#restorer = restorer;
  }

  /** How many subscriptions there are. */
  get size(): number {
    return this.#sinks.size;
  }

  publish(envelope: Envelope): Promise<void> | undefined {
    return this.#outbox.publish(envelope);
  }

  async subscribe(pattern: string, group: string | undefined, sink: TopicSink): Promise<Registration> {
    const id = this.#nextId++;
    const values = [id, pattern, group ?? null];
    this.#sinks.set(id, sink);
    try {
      await this.#requests.request(Operation.subscribe, `subscribe to ${pattern}`, "writes", values);
    } catch (error) {
      this.#abandon(id, error);
      throw error;
    }
    // Not before: until it is answered, the request itself is asked again after the loss of the hub.
    const restored = this.#restorer.keep(Operation.subscribe, values, (error) => {
      this.#sinks.delete(id);
      restored.forget();
      sink.end(error);
    });
    let closing: Promise<void> | undefined;
    return {
      close: () => {
        closing ??= this.#unsubscribe(id, restored.forget);
        return closing;
      },
    };
  }

  #abandon(id: number, error: unknown): void {
    this.#sinks.delete(id);
    // It may be effective all the same.
    if (isBusError(error, "indefinite")) {
      this.#requests.request(Operation.unsubscribe, "unsubscribe", "ends", [id]).catch(() => undefined);
    }
  }

  async #unsubscribe(id: number, forget: () => void): Promise<void> {
    forget();
    if (!this.#sinks.delete(id)) return;
    // When the hub cannot be told, nothing is delivered all the same: the sink is gone.
    await this.#requests.request(Operation.unsubscribe, "unsubscribe", "ends", [id]).catch(() => undefined);
  }

  /** A record for a subscription; false where the kind is another. Throws where it is malformed. */
  record(kind: number, body: Buffer): boolean {
    if (kind !== RecordKind.message && kind !== RecordKind.lost && kind !== RecordKind.subscriptionEnd) return false;
    const id = body.readUInt32BE(0);
    const sink = this.#sinks.get(id);
    if (sink === undefined) return true;
    if (kind === RecordKind.message) {
      const envelope = WireEnvelope.read(body, 4);
      if (envelope === undefined) throw new Error("no envelope");
      sink.deliver([envelope]);
    } else if (kind === RecordKind.lost) sink.lost(body.readUInt32BE(4));
    else {
      this.#sinks.delete(id);
      sink.end(toldError(body.subarray(4)));
    }
    return true;
  }
}
