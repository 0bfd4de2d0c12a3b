import { BusError, splitText } from "@quadrant/contract";
import type { Bucket } from "./bucket.ts";
import type { Timer } from "./timer-heap.ts";

/** A tuple in one bucket. Links are of ordered buckets, unless it stands apart; the index is of unordered ones. */
export class Place {
  readonly resident: Resident;
  readonly bucket: Bucket;
  /** The same tuple in another bucket. */
  readonly sibling: Place | undefined;
  prev: Place | undefined = undefined;
  next: Place | undefined = undefined;
  apart = false;
  index = 0;

  constructor(resident: Resident, bucket: Bucket, sibling: Place | undefined) {
    this.resident = resident;
    this.bucket = bucket;
    this.sibling = sibling;
  }
}

/** A tuple that is in a space, or on its way into it. */
export class Resident {
  readonly text: string;
  /** The text taken apart one level: what templates are matched against. */
  readonly keys: readonly string[] | undefined;
  readonly parts: readonly string[];
  /** Its place in the order of the space, and its name. */
  seq = 0;
  expiresAt: number = Number.POSITIVE_INFINITY;
  expiry: Timer | undefined = undefined;
  /** Where it can be found, each place leading to the next; undefined while it is claimed. */
  place: Place | undefined = undefined;

  /** Throws "codec" for what is no tuple's text. */
  constructor(text: string) {
    const { tag, keys, parts } = splitText(text);
    if (tag !== "a" && tag !== "o") throw new BusError("codec", "not the text of a tuple");
    this.text = text;
    this.keys = keys;
    // A list that has grown has room for many more: this one is kept as long as the tuple.
    this.parts = parts.slice();
  }
}
