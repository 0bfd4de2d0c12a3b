import {
  BusError,
  type Context,
  type Envelope,
  Feed,
  type Message,
  type Opened,
  openEnvelope,
  type SubscribeOptions,
  type TopicSink,
  tellInvalid,
} from "@quadrant/contract";

const defaultBuffer = 1024;

/** The bounded buffer of one subscription: envelopes as they came, decoded when the iterator takes them. */
export class Intake<T> implements TopicSink {
  readonly feed: Feed<Message<T>, Envelope>;
  readonly #context: Context;
  readonly #options: SubscribeOptions<T>;
  readonly #buffer: number;
  /** What reports tell of this subscription. */
  readonly #detail: { readonly pattern: string; readonly group?: string };
  /** Both are reported once an episode. */
  #slow = false;
  #unreadable = false;

  constructor(context: Context, pattern: string, options: SubscribeOptions<T>, onEnd: () => Promise<void>) {
    this.#context = context;
    this.#options = options;
    this.#buffer = options.buffer ?? defaultBuffer;
    this.#detail = options.group === undefined ? { pattern } : { pattern, group: options.group };
    this.feed = new Feed({ open: (envelope) => this.#open(envelope), onEnd, signal: options.signal });
  }

  // -- filled by the driver

  deliver(batch: readonly Envelope[]): void {
    const { feed } = this;
    if (this.#slow && feed.size * 2 <= this.#buffer) this.#slow = false;
    for (const envelope of batch) {
      if (feed.ended) return;
      if (feed.size >= this.#buffer) this.#overflow(envelope);
      else feed.push(envelope);
    }
  }

  #overflow(envelope: Envelope): void {
    const { feed } = this;
    const overflow = this.#options.overflow ?? "drop-oldest";
    feed.dropped++;
    if (!this.#slow) {
      this.#slow = true;
      this.#context.report("slow-consumer", { ...this.#detail, buffer: this.#buffer, overflow, dropped: feed.dropped });
    }
    if (overflow === "drop-oldest") {
      feed.shift();
      feed.push(envelope);
    } else if (overflow === "error") {
      const what = `the subscription to ${this.#detail.pattern} fell ${this.#buffer} messages behind`;
      void feed.end(new BusError("overflow", `${what}; take them faster, or give a larger buffer`));
    }
  }

  lost(count: number): void {
    if (this.feed.ended) return;
    this.feed.dropped += count;
    this.#context.report("gap", { ...this.#detail, reason: "lost on the way", lost: count });
  }

  end(error: BusError): void {
    void this.feed.end(error);
  }

  // -- emptied by the iterator

  #open(envelope: Envelope): Opened<Message<T>> | Promise<Opened<Message<T>>> {
    return openEnvelope<T, Opened<Message<T>>>(envelope, {
      bodies: this.#context.bodies,
      schema: this.#options.schema,
      value: (data) => this.#hand(envelope, data),
      refused: (data, error) => this.#refuse(envelope, data, error),
    });
  }

  #hand(envelope: Envelope, data: T): Opened<Message<T>> {
    this.#unreadable = false;
    return { value: { subject: envelope.subject, data, headers: { ...envelope.headers } }, done: false };
  }

  /** Nothing is lost silently: who gave no `invalid` finds it counted and reported. */
  #refuse(envelope: Envelope, data: unknown, error: BusError): undefined {
    const { invalid } = this.#options;
    if (invalid !== undefined) {
      tellInvalid(invalid, envelope, data, error);
      return;
    }
    this.feed.dropped++;
    if (this.#unreadable) return;
    this.#unreadable = true;
    const { subject } = envelope;
    this.#context.report("gap", { ...this.#detail, subject, reason: error.code, message: error.message, lost: 1 });
  }
}
