import type { StoredEntry } from "@quadrant/contract";

/** About what an entry takes: its body, and the texts beside it. */
export function sizeOf(entry: StoredEntry): number {
  let size = entry.body.length + entry.subject.length + entry.contentType.length + (entry.id?.length ?? 0);
  for (const [name, value] of Object.entries(entry.headers)) size += name.length + value.length;
  return size;
}

/** The entries of a log without gaps: found by sequence in O(1), removed from the front in O(1). */
export class Entries {
  #entries: (StoredEntry | undefined)[] = [];
  #head = 0;
  #first = 1;
  #bytes = 0;
  /** The last entry of each subject that has one. */
  readonly #lastOf = new Map<string, StoredEntry>();

  get count(): number {
    return this.#entries.length - this.#head;
  }

  /** The sequence of the first entry held; where none is, that of the next. */
  get first(): number {
    return this.#first;
  }

  /** The sequence of the last entry there was, 0 before the first. */
  get last(): number {
    return this.#first + this.count - 1;
  }

  get bytes(): number {
    return this.#bytes;
  }

  at(seq: number): StoredEntry | undefined {
    return seq < this.#first ? undefined : this.#entries[this.#head + seq - this.#first];
  }

  lastOf(subject: string): StoredEntry | undefined {
    return this.#lastOf.get(subject);
  }

  /** Its sequence is `last + 1`. */
  append(entry: StoredEntry): void {
    this.#entries.push(entry);
    this.#bytes += sizeOf(entry);
    this.#lastOf.set(entry.subject, entry);
  }

  dropFirst(): void {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return;
    this.#entries[this.#head++] = undefined;
    this.#first++;
    this.#bytes -= sizeOf(entry);
    if (this.#lastOf.get(entry.subject) === entry) this.#lastOf.delete(entry.subject);
    if (this.#head < 1024 || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }

  /** The sequence of the first entry held that is not older; `last + 1` where all are. */
  firstSince(time: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[this.#head + middle]!.time < time) low = middle + 1;
      else high = middle;
    }
    return this.#first + low;
  }
}
