import type { SpaceEvent } from "@quadrant/contract";
import type { Resident } from "./resident.ts";

export type EventKind = SpaceEvent<unknown>["kind"];

/** In the order of their codes, which are kept on disk. */
export const eventKinds: readonly EventKind[] = ["out", "in", "expire", "return"];

/** A tuple, or just its text where nothing else of it will be asked for: a shorter life for the rest. */
type Told = Resident | string;

const firstSlots = 64;
/** Bits of a note that say which kind it is; the others how long the tuple is. */
const kindBits = 2;
const kindMask = 3;

/**
 * The last events of a space: references to tuples that were there anyway, nothing is copied. Bounded by how many they are,
 * and by how long their tuples are together; the very last one is kept whatever its length. An event more touches nothing of
 * those before it: their lengths stand beside each other here.
 */
export class EventRing {
  readonly #limit: number;
  readonly #maxLength: number;
  readonly #dropped: ((resident: Resident) => void) | undefined;
  #tuples: (Told | undefined)[];
  #notes: Int32Array;
  /** Where the next one goes. */
  #next = 0;
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
    const slots = Math.min(firstSlots, limit);
    this.#tuples = new Array<Told | undefined>(slots).fill(undefined);
    this.#notes = new Int32Array(slots);
  }

  get count(): number {
    return this.#count;
  }

  /** The number of the first event held; where none is, of the next. */
  get first(): number {
    return this.last - this.#count + 1;
  }

  /** Whether so many events are held, of tuples that are so long together. */
  fits(count: number, length: number): boolean {
    return count <= this.#limit && (count === 1 || length <= this.#maxLength);
  }

  /** `length`: of the tuple. */
  push(kind: number, told: Told, length: number): void {
    if (this.#count === this.#tuples.length && this.#count < this.#limit) this.#grow();
    const slot = this.#next;
    // Where it is full, the next one stands in the place of the first.
    if (this.#count === this.#limit) this.#drop(slot);
    this.#tuples[slot] = told;
    this.#notes[slot] = (length << kindBits) | kind;
    this.#next = slot + 1 === this.#tuples.length ? 0 : slot + 1;
    this.#count++;
    this.last++;
    this.#length += length;
    while (this.#length > this.#maxLength && this.#count > 1) this.dropFirst();
  }

  dropFirst(): void {
    const slot = this.#slot(this.first);
    this.#drop(slot);
    this.#tuples[slot] = undefined;
  }

  #drop(slot: number): void {
    this.#count--;
    this.#length -= this.#notes[slot]! >> kindBits;
    if (this.#dropped !== undefined) this.#dropped(this.#tuples[slot] as Resident);
  }

  /** The tuple of an event that is held. */
  text(seq: number): string {
    const told = this.#tuples[this.#slot(seq)]!;
    return typeof told === "string" ? told : told.text;
  }

  /** The same, where it has a row. */
  resident(seq: number): Resident {
    return this.#tuples[this.#slot(seq)] as Resident;
  }

  kind(seq: number): number {
    return this.#notes[this.#slot(seq)]! & kindMask;
  }

  #slot(seq: number): number {
    const slot = this.#next - 1 - (this.last - seq);
    return slot < 0 ? slot + this.#tuples.length : slot;
  }

  #grow(): void {
    const slots = Math.min(this.#limit, this.#tuples.length * 2);
    const tuples = new Array<Told | undefined>(slots).fill(undefined);
    const notes = new Int32Array(slots);
    const { first } = this;
    for (let at = 0; at < this.#count; at++) {
      const slot = this.#slot(first + at);
      tuples[at] = this.#tuples[slot];
      notes[at] = this.#notes[slot]!;
    }
    this.#tuples = tuples;
    this.#notes = notes;
    this.#next = this.#count;
  }
}
