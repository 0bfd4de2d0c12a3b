import type { Offer } from "./dispatch.ts";

interface Held {
  readonly offer: Offer;
  readonly worker: string;
  until: number;
}

/** The leases of a master that no broker keeps them for: who has which offer, and until when. Oldest offers first. */
export class OfferBook {
  readonly #leaseMs: number;
  readonly #now: () => number;
  readonly #waiting = new Map<string, Offer>();
  readonly #held = new Map<string, Held>();

  constructor(leaseMs: number, now: () => number = () => performance.now()) {
    this.#leaseMs = leaseMs;
    this.#now = now;
  }

  get waiting(): Iterable<Offer> {
    return this.#waiting.values();
  }

  add(offer: Offer): void {
    this.#waiting.set(offer.id, offer);
  }

  /**
   * The offer, or the oldest one; undefined where it is not to be had. Who holds one already gets that again: the answer to
   * the first try was lost.
   */
  take(worker: string, id?: string | undefined): Offer | undefined {
    for (const held of this.#held.values()) if (held.worker === worker) return held.offer;
    const [first] = this.#waiting.values();
    const offer = id === undefined ? first : this.#waiting.get(id);
    if (offer === undefined) return undefined;
    return this.#give(worker, offer).offer;
  }

  /** Whether the worker still has it; also one to which a master before this one has given it. */
  renew(worker: string, id: string): boolean {
    const held = this.#waiting.has(id) ? this.#give(worker, this.#waiting.get(id)!) : this.#held.get(id);
    if (held?.worker !== worker) return false;
    held.until = this.#now() + this.#leaseMs;
    return true;
  }

  /** Puts back what the worker has. */
  release(worker: string, id: string): void {
    const held = this.#held.get(id);
    if (held?.worker !== worker) return;
    this.#held.delete(id);
    this.#waiting.set(id, held.offer);
  }

  /** It was done, or is not wanted any more. */
  remove(id: string): void {
    this.#waiting.delete(id);
    this.#held.delete(id);
  }

  /** Only if nobody has begun it. */
  withdraw(id: string): void {
    this.#waiting.delete(id);
  }

  /** Puts back what was not renewed in time; whether there was any. */
  expire(): boolean {
    const now = this.#now();
    let any = false;
    for (const { offer, worker, until } of [...this.#held.values()]) {
      if (until > now) continue;
      this.release(worker, offer.id);
      any = true;
    }
    return any;
  }

  #give(worker: string, offer: Offer): Held {
    this.#waiting.delete(offer.id);
    const held = { offer, worker, until: this.#now() + this.#leaseMs };
    this.#held.set(offer.id, held);
    return held;
  }
}
