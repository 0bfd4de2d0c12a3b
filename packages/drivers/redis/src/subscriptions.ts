import { type BusError, isLiteral, matchesSubject, type TopicSink } from "@quadrant/contract";
import { topicChannel } from "./names.ts";
import { type Packet, readPacket } from "./pack/packets.ts";

/** Publishers and subjects whose numbers are remembered, for all subscriptions together; beyond it the oldest are forgotten. */
const maxNumbers = 131_072;

interface Subscriber {
  readonly pattern: string;
  readonly sink: TopicSink;
}

/** What one channel or pattern of the server brings, and for whom. */
interface Source {
  readonly subscribers: Set<Subscriber>;
  /** The last number of each publisher on each subject. */
  readonly numbers: Map<string, number>;
}

/** A pattern as the server matches it: somewhat too much, since its * crosses dots. */
function globOf(pattern: string): string {
  return pattern
    .split(".")
    .map((token) => (token === "*" || token === ">" ? "*" : token.replace(/[\\*?[\]^]/g, "\\$&")))
    .join(".");
}

/** The channel or pattern under which a pattern's messages come: "c" or "p", and its name. */
export function sourceOf(pattern: string): string {
  return isLiteral(pattern) ? `c${topicChannel(pattern)}` : `p${topicChannel(globOf(pattern))}`;
}

/** Who gets what is published, and what of it was lost on the way: known by the numbers of its publisher. */
export class Subscriptions {
  readonly #sources = new Map<string, Source>();
  #numbers = 0;

  get size(): number {
    let size = 0;
    for (const { subscribers } of this.#sources.values()) size += subscribers.size;
    return size;
  }

  /** Returns what takes it away. */
  add(pattern: string, sink: TopicSink): () => void {
    const key = sourceOf(pattern);
    let source = this.#sources.get(key);
    if (source === undefined) {
      source = { subscribers: new Set(), numbers: new Map() };
      this.#sources.set(key, source);
    }
    const { subscribers, numbers } = source;
    const subscriber = { pattern, sink };
    subscribers.add(subscriber);
    return () => {
      if (!subscribers.delete(subscriber) || subscribers.size > 0) return;
      this.#sources.delete(key);
      this.#numbers -= numbers.size;
    };
  }

  /** A message of a channel, or of a pattern. Returns how many there were in it. */
  message(key: string, subject: string, bytes: Buffer): number {
    const source = this.#sources.get(key);
    if (source === undefined) return 0;
    let packet: Packet;
    try {
      packet = readPacket(subject, bytes);
    } catch {
      // Somebody else publishes there.
      return 0;
    }
    const lost = this.#lost(source, subject, packet);
    if (lost === undefined) return 0;
    for (const { pattern, sink } of source.subscribers) {
      if (key[0] === "p" && !matchesSubject(pattern, subject)) continue;
      if (lost > 0) sink.lost(lost);
      sink.deliver(packet.envelopes);
    }
    return packet.envelopes.length;
  }

  /** How many are missing before the packet; undefined where it came before. */
  #lost(source: Source, subject: string, { publisher, first, envelopes }: Packet): number | undefined {
    const of = `${publisher} ${subject}`;
    const last = source.numbers.get(of);
    if (last !== undefined && first <= last) return undefined;
    if (last === undefined && ++this.#numbers > maxNumbers) this.#forget();
    source.numbers.set(of, first + envelopes.length - 1);
    return last === undefined ? 0 : first - last - 1;
  }

  /** The older half of what each source remembers. */
  #forget(): void {
    this.#numbers = 0;
    for (const { numbers } of this.#sources.values()) {
      let drop = numbers.size >> 1;
      for (const of of numbers.keys()) {
        if (drop-- <= 0) break;
        numbers.delete(of);
      }
      this.#numbers += numbers.size;
    }
  }

  /** What a source brought is not to be had any more. */
  end(key: string, error: BusError): void {
    const source = this.#sources.get(key);
    if (source === undefined) return;
    this.#sources.delete(key);
    this.#numbers -= source.numbers.size;
    for (const { sink } of source.subscribers) sink.end(error);
  }

  clear(): void {
    this.#sources.clear();
    this.#numbers = 0;
  }
}
