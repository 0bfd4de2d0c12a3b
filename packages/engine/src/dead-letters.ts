import type { DeadRecord, Failure, RedriveRequest } from "@quadrant/contract";
import { Chain } from "./chain.ts";
import type { Letter } from "./letter.ts";

interface Dead {
  readonly letter: Letter;
  readonly diedAt: number;
  readonly failure: Failure;
}

/** Letters that nobody could handle, in the order they died. They are messages, so nothing but a redrive removes them. */
export class DeadLetters {
  readonly #dead = new Chain<Dead>();

  get size(): number {
    return this.#dead.size;
  }

  add(letter: Letter, diedAt: number, failure: Failure): void {
    this.#dead.append({ letter, diedAt, failure });
  }

  /** The oldest, at most so many. */
  list(limit: number): DeadRecord[] {
    const records: DeadRecord[] = [];
    for (const { letter, diedAt, failure } of this.#dead) {
      if (records.length >= limit) break;
      records.push({ ...letter.peeked(), diedAt, failure });
    }
    return records;
  }

  /** Removes what is to live again, the oldest first. */
  revive({ ids, limit = Number.POSITIVE_INFINITY }: RedriveRequest): Letter[] {
    const wanted = ids === undefined ? undefined : new Set(ids);
    const revived: Letter[] = [];
    for (let link = this.#dead.first; link !== undefined && revived.length < limit; ) {
      const { next, value } = link;
      if (wanted === undefined || wanted.has(value.letter.spec.id)) {
        this.#dead.remove(link);
        revived.push(value.letter);
      }
      link = next;
    }
    return revived;
  }
}
