import type { Place, Resident } from "./resident.ts";
import type { Shape } from "./shape.ts";
import type { WaitingLine } from "./waiting-line.ts";

/** Which of the matching tuples is picked. */
export type Pick = "oldest" | "newest" | "random";

/** Looks at a tuple; true where it is what is searched. */
export type Look = (resident: Resident) => boolean;

/**
 * The tuples that agree in the fields of a shape, in the form that the space's way of picking needs, and who waits for
 * more of them.
 */
export interface Bucket {
  readonly size: number;
  /** Where it is found by its key; undefined for the bucket of all tuples of a form. */
  readonly shape: Shape | undefined;
  readonly key: string;
  /** undefined while nobody has waited. */
  waiting: WaitingLine | undefined;
  /** A tuple younger than all here. */
  append(place: Place): void;
  /** A tuple that comes back, to where it was. */
  restore(place: Place): void;
  remove(place: Place): void;
  /** Shows tuples in the order of picking until one is what is searched. */
  search(look: Look): Resident | undefined;
  /** Shows each once. */
  each(visit: (resident: Resident) => void): void;
}

export type MakeBucket = (shape: Shape | undefined, key: string) => Bucket;

export function bucketMaker(pick: Pick, random: () => number): MakeBucket {
  return pick === "random"
    ? (shape, key) => new RandomBucket(shape, key, random)
    : (shape, key) => new OrderedBucket(shape, key, pick === "newest");
}

/** By age: a linked list, oldest first. */
export class OrderedBucket implements Bucket {
  size = 0;
  readonly shape: Shape | undefined;
  readonly key: string;
  waiting: WaitingLine | undefined = undefined;
  readonly #newestFirst: boolean;
  #first: Place | undefined = undefined;
  #last: Place | undefined = undefined;

  constructor(shape: Shape | undefined, key: string, newestFirst: boolean) {
    this.shape = shape;
    this.key = key;
    this.#newestFirst = newestFirst;
  }

  append(place: Place): void {
    this.#insert(place, this.#last, undefined);
  }

  /** From both ends at once: what comes back is mostly among the oldest, or the newest. */
  restore(place: Place): void {
    const { seq } = place.resident;
    let older = this.#last;
    let younger = this.#first;
    for (;;) {
      if (younger === undefined || younger.resident.seq > seq) {
        this.#insert(place, younger === undefined ? this.#last : younger.prev, younger);
        return;
      }
      if (older === undefined || older.resident.seq < seq) {
        this.#insert(place, older, older === undefined ? this.#first : older.next);
        return;
      }
      younger = younger.next;
      older = older.prev;
    }
  }

  remove(place: Place): void {
    if (place.prev === undefined) this.#first = place.next;
    else place.prev.next = place.next;
    if (place.next === undefined) this.#last = place.prev;
    else place.next.prev = place.prev;
    place.prev = place.next = undefined;
    this.size--;
  }

  search(look: Look): Resident | undefined {
    let place = this.#newestFirst ? this.#last : this.#first;
    while (place !== undefined) {
      if (look(place.resident)) return place.resident;
      place = this.#newestFirst ? place.prev : place.next;
    }
    return undefined;
  }

  each(visit: (resident: Resident) => void): void {
    for (let place = this.#first; place !== undefined; place = place.next) visit(place.resident);
  }

  #insert(place: Place, prev: Place | undefined, next: Place | undefined): void {
    place.prev = prev;
    place.next = next;
    if (prev === undefined) this.#first = place;
    else prev.next = place;
    if (next === undefined) this.#last = place;
    else next.prev = place;
    this.size++;
  }
}

/** How often a tuple is drawn blindly before all are shown. */
const draws = 16;

/** For picks at random: an array without order, in which the last takes the place of what leaves. */
export class RandomBucket implements Bucket {
  readonly shape: Shape | undefined;
  readonly key: string;
  waiting: WaitingLine | undefined = undefined;
  readonly #places: Place[] = [];
  readonly #random: () => number;

  constructor(shape: Shape | undefined, key: string, random: () => number) {
    this.shape = shape;
    this.key = key;
    this.#random = random;
  }

  get size(): number {
    return this.#places.length;
  }

  append(place: Place): void {
    place.index = this.#places.length;
    this.#places.push(place);
  }

  restore(place: Place): void {
    this.append(place);
  }

  remove(place: Place): void {
    const last = this.#places.pop()!;
    if (last === place) return;
    last.index = place.index;
    this.#places[place.index] = last;
  }

  /** Draws with equal chances; after that, walks through all in a random order, so that every match has the same chance. */
  search(look: Look): Resident | undefined {
    const places = this.#places;
    if (places.length > 2 * draws) {
      for (let i = 0; i < draws; i++) {
        const { resident } = places[Math.floor(this.#random() * places.length)]!;
        if (look(resident)) return resident;
      }
    }
    for (let left = places.length; left > 0; left--) {
      const place = places[Math.floor(this.#random() * left)]!;
      // Shuffles as it goes: what has been shown moves behind what has not.
      this.#swap(place, places[left - 1]!);
      if (look(place.resident)) return place.resident;
    }
    return undefined;
  }

  each(visit: (resident: Resident) => void): void {
    for (const { resident } of this.#places) visit(resident);
  }

  #swap(a: Place, b: Place): void {
    const at = a.index;
    this.#places[b.index] = a;
    this.#places[at] = b;
    a.index = b.index;
    b.index = at;
  }
}
