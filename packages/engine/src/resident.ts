import type { Bucket, Candidates, Look } from "./bucket.ts";
import type { Kept } from "./group-commit.ts";
import type { Timer } from "./timer-heap.ts";

/** Where a tuple stands in a bucket. Links are of ordered buckets, the index of unordered ones. */
export interface Spot {
  readonly resident: Resident;
  prev: Spot | undefined;
  next: Spot | undefined;
  /** `apart` in an ordered bucket: it stands beside the list. */
  index: number;
}

/** A tuple in the bucket of a key that it shares with others. */
export class Place implements Spot {
  readonly resident: Resident;
  readonly bucket: Bucket;
  /** The same tuple in another bucket. */
  readonly sibling: Place | undefined;
  prev: Spot | undefined = undefined;
  next: Spot | undefined = undefined;
  index = 0;

  constructor(resident: Resident, bucket: Bucket, sibling: Place | undefined) {
    this.resident = resident;
    this.bucket = bucket;
    this.sibling = sibling;
  }
}

/** How long a tuple stays. */
export class Term {
  expiresAt: number;
  timer: Timer | undefined = undefined;

  constructor(expiresAt: number) {
    this.expiresAt = expiresAt;
  }
}

/**
 * A tuple that is in a space, or on its way into it. There are many, and most come and go without a lease and alone with
 * their keys: each is one object beside its text, itself its spot in the bucket of all, and in place of a bucket where no
 * other has its key.
 */
export class Resident implements Kept, Spot, Candidates {
  row = 0;
  readonly text: string;
  /** Its place in the order of the space, and its name. */
  seq = 0;
  /** "in": where it can be found; "held": claimed, it may come back. */
  standing: "out" | "in" | "held" = "out";
  /** undefined for one that stays. */
  term: Term | undefined = undefined;
  prev: Spot | undefined = undefined;
  next: Spot | undefined = undefined;
  index = 0;
  /** How many events refer to it, where these outlive the engine. */
  events = 0;
  /** Its places in buckets of keys, each leading to the next. */
  place: Place | undefined = undefined;

  constructor(text: string) {
    this.text = text;
  }

  get resident(): Resident {
    return this;
  }

  get expiresAt(): number {
    return this.term === undefined ? Number.POSITIVE_INFINITY : this.term.expiresAt;
  }

  set expiresAt(at: number) {
    if (this.term !== undefined) this.term.expiresAt = at;
    else if (at !== Number.POSITIVE_INFINITY) this.term = new Term(at);
  }

  get size(): number {
    return 1;
  }

  search(look: Look): Resident | undefined {
    return look(this) ? this : undefined;
  }

  each(visit: (resident: Resident) => void): void {
    visit(this);
  }
}
