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
import { maxPayloadBytes, maxSubscriptions, topicBytes } from "./limits.ts";
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
  /** Subjects of which the client was told that it may not publish there. */
  readonly #denied = new Set<string>();

  constructor(session: HubSession) {
    this.#session = session;
  }

  get size(): number {
    return this.#subscriptions.size;
  }

  /** Throws where the record is malformed; nobody waits for an answer. */
  publish(body: Buffer): void {
    const envelope = WireEnvelope.read(body);
    if (envelope === undefined || envelope.bodyBytes > maxPayloadBytes) throw new BusError("invalid", "no envelope");
    checkName("subject", envelope.subject);
    const { grants } = this.#session;
    if (grants !== undefined && !grants.allows("publish", envelope.subject)) this.#deny(envelope.subject);
    else void this.#session.engine.topics.publish(envelope);
  }

  /** Nobody waits for an answer: the client is told, once a subject. */
  #deny(subject: string): void {
    this.#session.denied();
    if (this.#denied.has(subject)) return;
    if (this.#denied.size >= 4096) this.#denied.clear();
    this.#denied.add(subject);
    this.#session.link.write().begin(RecordKind.publishDenied).text(subject).end();
    this.#session.wake();
  }

  async subscribe(id: number, pattern: string, group: string | undefined): Promise<void> {
    checkPattern("pattern", pattern);
    if (group !== undefined) checkToken("group", group);
    if (this.#subscriptions.has(id)) throw new BusError("invalid", `subscription ${id} exists`);
    if (this.#subscriptions.size >= maxSubscriptions) {
      throw new BusError("overflow", `this client has ${maxSubscriptions} subscriptions already: use wildcards`);
    }
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
