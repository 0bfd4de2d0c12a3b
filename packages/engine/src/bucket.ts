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

/** How far from each end a tuple that comes back looks for its place among the others. */
const steps = 32;

/**
 * By age: a linked list, oldest first. What comes back is mostly among the oldest or the newest; what belongs far from
 * both ends stands in a sorted list of its own, so that no place has to be searched for.
 */
export class OrderedBucket implements Bucket {
  readonly shape: Shape | undefined;
  readonly key: string;
  waiting: WaitingLine | undefined = undefined;
  readonly #newestFirst: boolean;
  #linked = 0;
  #first: Place | undefined = undefined;
  #last: Place | undefined = undefined;
  #returned: Place[] | undefined = undefined;

  constructor(shape: Shape | undefined, key: string, newestFirst: boolean) {
    this.shape = shape;
    this.key = key;
    this.#newestFirst = newestFirst;
  }

  get size(): number {
    return this.#linked + (this.#returned?.length ?? 0);
  }

  append(place: Place): void {
    this.#insert(place, this.#last, undefined);
  }

  restore(place: Place): void {
    const { seq } = place.resident;
    let older = this.#last;
    let younger = this.#first;
    for (let step = 0; step < steps; step++) {
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
    this.#returned ??= [];
    this.#returned.splice(this.#indexOf(seq), 0, place);
    place.apart = true;
  }

  remove(place: Place): void {
    if (place.apart) {
      this.#returned!.splice(this.#indexOf(place.resident.seq), 1);
      if (this.#returned!.length === 0) this.#returned = undefined;
      return;
    }
    if (place.prev === undefined) this.#first = place.next;
    else place.prev.next = place.next;
    if (place.next === undefined) this.#last = place.prev;
    else place.next.prev = place.prev;
    place.prev = place.next = undefined;
    this.#linked--;
  }

  search(look: Look): Resident | undefined {
    if (this.#returned !== undefined) return this.#searchBoth(this.#returned, this.#newestFirst, look);
    let place = this.#newestFirst ? this.#last : this.#first;
    while (place !== undefined) {
      if (look(place.resident)) return place.resident;
      place = this.#newestFirst ? place.prev : place.next;
    }
    return undefined;
  }

  each(visit: (resident: Resident) => void): void {
    const look = (resident: Resident): boolean => {
      visit(resident);
      return false;
    };
    this.#searchBoth(this.#returned ?? [], false, look);
  }

  /** The list and what stands apart, merged. */
  #searchBoth(returned: readonly Place[], newestFirst: boolean, look: Look): Resident | undefined {
    let place = newestFirst ? this.#last : this.#first;
    let at = newestFirst ? returned.length - 1 : 0;
    for (;;) {
      const apart = returned[at];
      if (apart === undefined && place === undefined) return undefined;
      const listed =
        place !== undefined && (apart === undefined || place.resident.seq < apart.resident.seq !== newestFirst);
      const { resident } = listed ? place! : apart!;
      if (look(resident)) return resident;
      if (listed) place = newestFirst ? place!.prev : place!.next;
      else at += newestFirst ? -1 : 1;
    }
  }

  #indexOf(seq: number): number {
    let low = 0;
    let high = this.#returned!.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#returned![middle]!.resident.seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(place: Place, prev: Place | undefined, next: Place | undefined): void {
    place.prev = prev;
    place.next = next;
    if (prev === undefined) this.#first = place;
    else prev.next = place;
    if (next === undefined) this.#last = place;
    else next.prev = place;
    this.#linked++;
  }
}

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

  /** Walks through all in a random order, each once: every match has the same chance, and no miss is counted twice. */
  search(look: Look): Resident | undefined {
    const places = this.#places;
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
