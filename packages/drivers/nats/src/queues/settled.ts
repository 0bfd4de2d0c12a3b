/** How far back a server that was killed may have forgotten what it had confirmed; generously. */
const windowMs = 10_000;
/** nats-server 2.15 was seen to forget the last 4 200 acknowledgements of a durable that took 5 000 a second. */
const maxRemembered = 32_768;
/** What is looked for at the server after a reconnect: each costs a request. */
const maxRecent = 4_096;

/**
 * What was settled for good a moment ago. A server that is killed may not have written down yet that it delivered something, or
 * that it was acknowledged: what comes again then is known here.
 */
export class RecentlySettled {
  /** When each was settled. Two halves, the older of which is forgotten as a whole: cheaper than to forget the oldest each time. */
  #young = new Map<number, number>();
  #old = new Map<number, number>();

  add(seq: number): void {
    if (this.#young.size >= maxRemembered / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(seq, performance.now());
  }

  has(seq: number): boolean {
    return this.#young.has(seq) || this.#old.has(seq);
  }

  /** It was given back after all. */
  forget(seq: number): void {
    this.#young.delete(seq);
    this.#old.delete(seq);
  }

  /** Those of the last seconds, the newest of them. */
  recent(): number[] {
    const since = performance.now() - windowMs;
    const seqs = new Set<number>();
    for (const half of [this.#old, this.#young]) for (const [seq, at] of half) if (at >= since) seqs.add(seq);
    return [...seqs].slice(-maxRecent);
  }
}
