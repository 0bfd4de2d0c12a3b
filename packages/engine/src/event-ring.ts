import type { SpaceEvent } from "@quadrant/contract";
import type { Resident } from "./resident.ts";

export type EventKind = SpaceEvent<unknown>["kind"];

/** In the order of their codes, which are kept on disk. */
export const eventKinds: readonly EventKind[] = ["out", "in", "expire", "return"];

const firstSlots = 64;

/**
 * The last events of a space: references to the tuples that were there anyway, nothing is copied. Bounded by how many they
 * are, and by how long their tuples are together; the very last one is kept whatever its length.
 */
export class EventRing {
  readonly #limit: number;
  readonly #maxLength: number;
  readonly #dropped: ((resident: Resident) => void) | undefined;
  #residents: (Resident | undefined)[] = new Array(firstSlots).fill(undefined);
  #kinds = new Uint8Array(firstSlots);
  #head = 0;
  #count = 0;
  #length = 0;
  /** The number of the last event, held or not. */
  last: number;

  /** `before`: the number in front of the first event; `dropped` is told of each that is no longer held. */
  constructor(limit: number, maxLength: number, before: number, dropped?: (resident: Resident) => void) {
    this.#limit = limit;
    this.#maxLength = maxLength;
    this.last = before;
    this.#dropped = dropped;
  }

  get count(): number {
    return this.#count;
  }

  /** The number of the first event held; where none is, of the next. */
  get first(): number {
    return this.last - this.#count + 1;
  }

  /** Whether an event fits that came before those that are there. */
  fits(count: number, length: number): boolean {
    return count <= this.#limit && (count === 1 || length <= this.#maxLength);
  }

  push(kind: number, resident: Resident): void {
    if (this.#count === this.#residents.length && this.#count < this.#limit) this.#grow();
    else if (this.#count === this.#limit) this.dropFirst();
    const slot = (this.#head + this.#count) & (this.#residents.length - 1);
    this.#residents[slot] = resident;
    this.#kinds[slot] = kind;
    this.#count++;
    this.last++;
    this.#length += resident.text.length;
    while (this.#length > this.#maxLength && this.#count > 1) this.dropFirst();
  }

  dropFirst(): void {
    const resident = this.#residents[this.#head]!;
    this.#residents[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#residents.length - 1);
    this.#count--;
    this.#length -= resident.text.length;
    this.#dropped?.(resident);
  }

  /** The tuple of an event that is held. */
  resident(seq: number): Resident {
    return this.#residents[this.#slot(seq)]!;
  }

  kind(seq: number): number {
    return this.#kinds[this.#slot(seq)]!;
  }

  #slot(seq: number): number {
    return (this.#head + (seq - this.first)) & (this.#residents.length - 1);
  }

  #grow(): void {
    const slots = this.#residents.length;
    const residents = new Array<Resident | undefined>(slots * 2).fill(undefined);
    const kinds = new Uint8Array(slots * 2);
    for (let at = 0; at < this.#count; at++) {
      const slot = (this.#head + at) & (slots - 1);
      residents[at] = this.#residents[slot];
      kinds[at] = this.#kinds[slot]!;
    }
    this.#residents = residents;
    this.#kinds = kinds;
    this.#head = 0;
  }
}
