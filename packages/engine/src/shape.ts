import { maxMaskFields, TextFields } from "@quadrant/contract";
import type { Bucket, Candidates, MakeBucket } from "./bucket.ts";
import { emptyHash, hashOn } from "./hash.ts";
import { KeyTable } from "./key-table.ts";
import { Place, Resident } from "./resident.ts";
import { WaitingLines } from "./waiting-line.ts";

/** The fields of a mask. */
export function fieldsOf(mask: number): number[] {
  const fields: number[] = [];
  for (let field = 0; field < maxMaskFields; field++) if ((mask & (1 << field)) !== 0) fields.push(field);
  return fields;
}

/** To look at a tuple that is there already, beside the one that comes. */
const other = new TextFields();

/**
 * Some fields of the tuples of one form, and the tuples by their values in these fields: those that are alone with their
 * key stand for themselves, the others are in a bucket.
 */
export class Shape {
  /** The fields as bits. */
  readonly mask: number;
  readonly fields: readonly number[];
  /** Who waits for tuples, by their key. */
  readonly lines: WaitingLines = new WaitingLines();
  readonly #table = new KeyTable();
  readonly #makeBucket: MakeBucket;
  /** The hash of the key that was looked up last. */
  #sought = 0;

  constructor(mask: number, makeBucket: MakeBucket) {
    this.mask = mask;
    this.fields = fieldsOf(mask);
    this.#makeBucket = makeBucket;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#table.size;
  }

  /** `fields`: of the tuple's text. */
  add(resident: Resident, fields: TextFields, restored: boolean): void {
    const table = this.#table;
    const hash = this.#hash(fields);
    for (let slot = table.first(hash); slot !== -1; slot = table.next(slot)) {
      const entry = table.at(slot);
      if (!(entry instanceof Resident)) {
        const bucket = entry as Bucket;
        if (!this.#hasKey(fields, bucket.key!.fields)) continue;
        enter(resident, bucket, restored);
        return;
      }
      other.read(entry.text, fields.keyed);
      const key = this.#keyOf(other);
      if (!this.#hasKey(fields, key)) continue;
      const bucket = this.#makeBucket({ shape: this, fields: key, hash });
      enter(entry, bucket, false);
      enter(resident, bucket, restored);
      table.replace(slot, bucket);
      return;
    }
    table.insert(hash, resident);
  }

  /** One that is in no bucket. */
  remove(resident: Resident, fields: TextFields): void {
    this.#table.delete(this.#hash(fields), resident);
  }

  /** One that is in no bucket, where its key was the last that was looked up; false where it was another. */
  removeSought(resident: Resident): boolean {
    return this.#table.delete(this.#sought, resident);
  }

  removeBucket(bucket: Bucket): void {
    this.#table.delete(bucket.key!.hash, bucket);
  }

  /** Where all tuples are that have these values in the shape's fields. Where there is only one, it need not have them. */
  find(values: readonly string[], keyed: boolean): Candidates | undefined {
    const table = this.#table;
    let hash = emptyHash;
    for (const field of this.fields) hash = hashOn(hash, values[field]!, 0, values[field]!.length);
    this.#sought = hash;
    let slot = table.first(hash);
    if (slot === -1) return undefined;
    const first = table.at(slot);
    if (first instanceof Resident && table.next(slot) === -1) return first;
    for (; slot !== -1; slot = table.next(slot)) {
      const entry = table.at(slot);
      if (entry instanceof Resident) other.read(entry.text, keyed);
      const key = entry instanceof Resident ? this.#keyOf(other) : (entry as Bucket).key!.fields;
      if (this.fields.every((field, index) => values[field] === key[index])) return entry;
    }
    return undefined;
  }

  /** Where who waits for such fields stands. */
  lineOf(values: readonly string[]): string {
    return lineName(this.fields.map((field) => values[field]!));
  }

  lineFor(fields: TextFields): string {
    return lineName(this.#keyOf(fields));
  }

  #hash(fields: TextFields): number {
    let hash = emptyHash;
    for (const field of this.fields) hash = hashOn(hash, fields.text, fields.starts[field]!, fields.ends[field]!);
    return hash;
  }

  #keyOf(fields: TextFields): string[] {
    return this.fields.map((field) => fields.field(field));
  }

  #hasKey(fields: TextFields, key: readonly string[]): boolean {
    for (let index = 0; index < key.length; index++) {
      const field = this.fields[index]!;
      const start = fields.starts[field]!;
      const value = key[index]!;
      if (fields.ends[field]! - start !== value.length || !fields.text.startsWith(value, start)) return false;
    }
    return true;
  }
}

function enter(resident: Resident, bucket: Bucket, restored: boolean): void {
  const place = new Place(resident, bucket, resident.place);
  if (restored) bucket.restore(place);
  else bucket.append(place);
  resident.place = place;
}

/** The values of a key as one text. */
function lineName(key: readonly string[]): string {
  let name = "";
  for (const value of key) name += `${value.length}:${value}`;
  return name;
}
