import {
  BusError,
  checkName,
  checkPattern,
  checkToken,
  type Envelope,
  type Registration,
  type TopicSink,
} from "@quadrant/contract";
import { WireEnvelope } from "../wire/envelope.ts";
import { RecordKind } from "../wire/record.ts";
import { encodeError, encodeValues } from "../wire/values.ts";
import { maxPayloadBytes, topicBytes } from "./limits.ts";
import type { HubSession } from "./session.ts";

interface HubSubscription {
  readonly id: number;
  /** Dropped here and not yet told. */
  lost: number;
  registration: Registration | undefined;
}

/** The subscriptions of one session. Envelopes go through as they came; what does not fit is dropped, counted and told. */
export class HubTopics {
  readonly #session: HubSession;
  readonly #subscriptions = new Map<number, HubSubscription>();
  readonly #lossy = new Set<HubSubscription>();
  /** Names that were found valid: publishers repeat themselves. */
  readonly #checked = new Set<string>();

  constructor(session: HubSession) {
    this.#session = session;
  }

  get size(): number {
    return this.#subscriptions.size;
  }

  /** Throws where the record is malformed; nobody waits for an answer. */
  publish(body: Buffer): void {
    const envelope = WireEnvelope.read(body);
    if (envelope === undefined || envelope.body.length > maxPayloadBytes) throw new BusError("invalid", "no envelope");
    if (!this.#checked.has(envelope.subject)) {
      checkName("subject", envelope.subject);
      if (this.#checked.size >= 4096) this.#checked.clear();
      this.#checked.add(envelope.subject);
    }
    void this.#session.engine.topics.publish(envelope);
  }

  async subscribe(id: number, pattern: string, group: string | undefined): Promise<void> {
    checkPattern("pattern", pattern);
    if (group !== undefined) checkToken("group", group);
    if (this.#subscriptions.has(id)) throw new BusError("invalid", `subscription ${id} exists`);
    const subscription: HubSubscription = { id, lost: 0, registration: undefined };
    this.#subscriptions.set(id, subscription);
    try {
      subscription.registration = await this.#session.engine.topics.subscribe(pattern, group, this.#sink(subscription));
    } catch (error) {
      this.#subscriptions.delete(id);
      throw error;
    }
  }

  async unsubscribe(id: number): Promise<void> {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    this.#subscriptions.delete(id);
    this.#lossy.delete(subscription);
    await subscription.registration?.close();
  }

  #sink(subscription: HubSubscription): TopicSink {
    return {
      available: () => this.#session.attached && !this.#full,
      deliver: (batch) => {
        for (const envelope of batch) this.#deliver(subscription, envelope);
        this.#session.wake();
      },
      lost: (count) => {
        subscription.lost += count;
        this.#lossy.add(subscription);
      },
      end: (error) => {
        this.#subscriptions.delete(subscription.id);
        const { link } = this.#session;
        link
          .write()
          .begin(RecordKind.subscriptionEnd)
          .u32(subscription.id)
          .bytes(encodeValues(encodeError(error)))
          .end();
        this.#session.wake();
      },
    };
  }

  #deliver(subscription: HubSubscription, envelope: Envelope): void {
    if (this.#full) {
      subscription.lost++;
      this.#lossy.add(subscription);
      return;
    }
    if (subscription.lost > 0) this.#tellLost(subscription);
    this.#session.link.write().begin(RecordKind.message).u32(subscription.id).envelope(envelope).end();
  }

  get #full(): boolean {
    const { link } = this.#session;
    return link.pendingBytes + link.unacknowledgedBytes > topicBytes;
  }

  #tellLost(subscription: HubSubscription): void {
    this.#session.link.write().begin(RecordKind.lost).u32(subscription.id).u32(subscription.lost).end();
    subscription.lost = 0;
    this.#lossy.delete(subscription);
  }

  /** There is room again: losses are told even where nothing more is published. */
  progress(): void {
    if (this.#lossy.size === 0 || this.#full) return;
    for (const subscription of this.#lossy) this.#tellLost(subscription);
  }
}
