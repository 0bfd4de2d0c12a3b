import { BusError, type StoredEntry } from "@quadrant/contract";
import type { GroupCommit, Kept } from "./group-commit.ts";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";

/** About what an entry takes: its body, and the texts beside it. */
export function sizeOf(entry: StoredEntry): number {
  let size = entry.body.length + entry.subject.length + entry.contentType.length + (entry.id?.length ?? 0);
  for (const [name, value] of Object.entries(entry.headers)) size += name.length + value.length;
  return size;
}

interface KeptEntry extends Kept {
  readonly entry: StoredEntry;
}

/** The entries of a log without gaps: found by sequence in O(1), removed from the front in O(1). */
export class Entries {
  readonly #commits: GroupCommit | undefined;
  /** The log. */
  readonly #home: Kept;
  #entries: (StoredEntry | undefined)[] = [];
  /** Beside the entries, only where they outlive the engine. */
  #kept: (KeptEntry | undefined)[] = [];
  #head = 0;
  #first = 1;
  #bytes = 0;
  /** The last entry of each subject that has one. */
  readonly #lastOf = new Map<string, StoredEntry>();

  constructor(commits: GroupCommit | undefined, home: Kept) {
    this.#commits = commits;
    this.#home = home;
  }

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
    if (this.#commits !== undefined) {
      const kept: KeptEntry = { row: 0, entry };
      this.#kept.push(kept);
      this.#commits.put(kept, this.#encode);
    }
    this.#add(entry);
  }

  #add(entry: StoredEntry): void {
    this.#entries.push(entry);
    this.#bytes += sizeOf(entry);
    this.#lastOf.set(entry.subject, entry);
  }

  dropFirst(): void {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return;
    const kept = this.#kept[this.#head];
    if (kept !== undefined) {
      this.#kept[this.#head] = undefined;
      this.#commits?.drop(kept);
    }
    this.#entries[this.#head++] = undefined;
    this.#first++;
    this.#bytes -= sizeOf(entry);
    if (this.#lastOf.get(entry.subject) === entry) this.#lastOf.delete(entry.subject);
    if (this.#head < 1024 || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#kept = this.#kept.slice(this.#head);
    this.#head = 0;
  }

  /** The log is no more. */
  clear(): void {
    while (this.count > 0) this.dropFirst();
  }

  // ---- what outlives the engine

  /** What is restored begins here. */
  begin(first: number): void {
    this.#first = first;
  }

  /** The next entry, in order. */
  restore(row: number, reader: RowReader): void {
    const seq = reader.number();
    if (seq !== this.last + 1)
      throw new BusError("unavailable", `entry ${this.last + 1} of a log is missing in its journal`);
    const time = reader.number();
    const id = reader.optionalText();
    const envelope = {
      subject: reader.text(),
      headers: reader.headers(),
      contentType: reader.text(),
      body: reader.bytes(),
    };
    const entry: StoredEntry = id === undefined ? { ...envelope, seq, time } : { ...envelope, seq, time, id };
    this.#kept.push({ row, entry });
    this.#add(entry);
  }

  readonly #encode = ({ row, entry }: KeptEntry, rows: RowWriter): void => {
    const { seq, time, id, subject, headers, contentType, body } = entry;
    rows.begin(row, RowKind.entry).whole(this.#home.row).number(seq).number(time).optionalText(id);
    rows.text(subject).headers(headers).text(contentType).bytes(body).end();
  };

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
