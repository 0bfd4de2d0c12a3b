import type { Resident, Spot } from "./resident.ts";
import type { Shape } from "./shape.ts";

/** Which of the matching tuples is picked. */
export type Pick = "oldest" | "newest" | "random";

/** Looks at a tuple; true where it is what is searched. */
export type Look = (resident: Resident) => boolean;

/** Tuples among which all matches are. */
export interface Candidates {
  readonly size: number;
  /** Shows tuples in the order of picking until one is what is searched. */
  search(look: Look): Resident | undefined;
  /** Shows each once. */
  each(visit: (resident: Resident) => void): void;
}

/** What the tuples of a bucket have in common. */
export interface BucketKey {
  readonly shape: Shape;
  /** What they have in the fields of the shape. */
  readonly fields: readonly string[];
  readonly hash: number;
}

/** The tuples that agree in the fields of a shape, in the form that the space's way of picking needs. */
export interface Bucket extends Candidates {
  /** undefined for the bucket of all tuples of a form. */
  readonly key: BucketKey | undefined;
  /** A tuple younger than all here. */
  append(spot: Spot): void;
  /** A tuple that comes back, to where it was. */
  restore(spot: Spot): void;
  remove(spot: Spot): void;
}

export type MakeBucket = (key: BucketKey | undefined) => Bucket;

export function bucketMaker(pick: Pick, random: () => number): MakeBucket {
  return pick === "random"
    ? (key) => new RandomBucket(key, random)
    : (key) => new OrderedBucket(key, pick === "newest");
}

/** The index of what stands beside the list of an ordered bucket. */
const apart = -1;

/** How far from each end a tuple that comes back looks for its spot among the others. */
const steps = 32;

/**
 * By age: a linked list, oldest first. What comes back is mostly among the oldest or the newest; what belongs far from
 * both ends stands in a sorted list of its own, so that no place has to be searched for.
 */
export class OrderedBucket implements Bucket {
  readonly key: BucketKey | undefined;
  readonly #newestFirst: boolean;
  #linked = 0;
  #first: Spot | undefined = undefined;
  #last: Spot | undefined = undefined;
  #returned: Spot[] | undefined = undefined;

  constructor(key: BucketKey | undefined, newestFirst: boolean) {
    this.key = key;
    this.#newestFirst = newestFirst;
  }

  get size(): number {
    return this.#linked + (this.#returned?.length ?? 0);
  }

  append(spot: Spot): void {
    this.#insert(spot, this.#last, undefined);
  }

  restore(spot: Spot): void {
    const { seq } = spot.resident;
    let older = this.#last;
    let younger = this.#first;
    for (let step = 0; step < steps; step++) {
      if (younger === undefined || younger.resident.seq > seq) {
        this.#insert(spot, younger === undefined ? this.#last : younger.prev, younger);
        return;
      }
      if (older === undefined || older.resident.seq < seq) {
        this.#insert(spot, older, older === undefined ? this.#first : older.next);
        return;
      }
      younger = younger.next;
      older = older.prev;
    }
    this.#returned ??= [];
    this.#returned.splice(this.#indexOf(seq), 0, spot);
    spot.index = apart;
  }

  remove(spot: Spot): void {
    if (spot.index === apart) {
      this.#returned!.splice(this.#indexOf(spot.resident.seq), 1);
      if (this.#returned!.length === 0) this.#returned = undefined;
      spot.index = 0;
      return;
    }
    if (spot.prev === undefined) this.#first = spot.next;
    else spot.prev.next = spot.next;
    if (spot.next === undefined) this.#last = spot.prev;
    else spot.next.prev = spot.prev;
    spot.prev = spot.next = undefined;
    this.#linked--;
  }

  search(look: Look): Resident | undefined {
    if (this.#returned !== undefined) return this.#searchBoth(this.#returned, this.#newestFirst, look);
    let spot = this.#newestFirst ? this.#last : this.#first;
    while (spot !== undefined) {
      if (look(spot.resident)) return spot.resident;
      spot = this.#newestFirst ? spot.prev : spot.next;
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
  #searchBoth(returned: readonly Spot[], newestFirst: boolean, look: Look): Resident | undefined {
    let spot = newestFirst ? this.#last : this.#first;
    let at = newestFirst ? returned.length - 1 : 0;
    for (;;) {
      const returning = returned[at];
      if (returning === undefined && spot === undefined) return undefined;
      const listed =
        spot !== undefined && (returning === undefined || spot.resident.seq < returning.resident.seq !== newestFirst);
      const { resident } = listed ? spot! : returning!;
      if (look(resident)) return resident;
      if (listed) spot = newestFirst ? spot!.prev : spot!.next;
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

  #insert(spot: Spot, prev: Spot | undefined, next: Spot | undefined): void {
    spot.prev = prev;
    spot.next = next;
    if (prev === undefined) this.#first = spot;
    else prev.next = spot;
    if (next === undefined) this.#last = spot;
    else next.prev = spot;
    this.#linked++;
  }
}

/** For picks at random: an array without order, in which the last takes the spot of what leaves. */
export class RandomBucket implements Bucket {
  readonly key: BucketKey | undefined;
  readonly #spots: Spot[] = [];
  readonly #random: () => number;

  constructor(key: BucketKey | undefined, random: () => number) {
    this.key = key;
    this.#random = random;
  }

  get size(): number {
    return this.#spots.length;
  }

  append(spot: Spot): void {
    spot.index = this.#spots.length;
    this.#spots.push(spot);
  }

  restore(spot: Spot): void {
    this.append(spot);
  }

  remove(spot: Spot): void {
    const last = this.#spots.pop()!;
    if (last === spot) return;
    last.index = spot.index;
    this.#spots[spot.index] = last;
  }

  /** Walks through all in a random order, each once: every match has the same chance, and no miss is counted twice. */
  search(look: Look): Resident | undefined {
    const spots = this.#spots;
    for (let left = spots.length; left > 0; left--) {
      const spot = spots[Math.floor(this.#random() * left)]!;
      // Shuffles as it goes: what has been shown moves behind what has not.
      this.#swap(spot, spots[left - 1]!);
      if (look(spot.resident)) return spot.resident;
    }
    return undefined;
  }

  each(visit: (resident: Resident) => void): void {
    for (const { resident } of this.#spots) visit(resident);
  }

  #swap(a: Spot, b: Spot): void {
    const at = a.index;
    this.#spots[b.index] = a;
    this.#spots[at] = b;
    a.index = b.index;
    b.index = at;
  }
}
