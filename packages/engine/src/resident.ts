import { splitText, type TextParts } from "@quadrant/contract";
import type { Place } from "./row.ts";
import type { Timer } from "./timer-heap.ts";

/** A tuple that is in a space, or on its way into it. */
export class Resident {
  readonly text: string;
  /** The text taken apart one level: what templates are matched against. */
  readonly parts: TextParts;
  /** Its place in the order of the space, and its name. */
  seq = 0;
  expiresAt: number = Number.POSITIVE_INFINITY;
  expiry: Timer | undefined;
  /** Where it can be found; none while it is claimed. */
  places: Place[] = [];

  /** Throws "codec" for what is no tuple's text. */
  constructor(text: string) {
    this.text = text;
    this.parts = splitText(text);
  }
}
