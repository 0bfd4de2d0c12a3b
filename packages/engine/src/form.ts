import { type Bucket, keyOf, type Shape } from "./bucket.ts";
import type { Resident } from "./resident.ts";
import { Place, type Row } from "./row.ts";
import { WaitingLine } from "./waiting-line.ts";

/** How many combinations of fields are indexed for one form; each costs every `out` of the form one insertion. */
const maxShapes = 8;
/** So many first fields can be indexed singly as well; what no shape serves uses the smallest bucket of its fields. */
const maxSingles = 16;
/** Fields that can be part of a shape. */
const maxFields = 30;

/** What a template asks of each field of a form: its text, or undefined where it has a formal. */
export type Actuals = readonly (string | undefined)[];

function maskOf(actuals: Actuals): number {
  let mask = 0;
  const length = Math.min(actuals.length, maxFields);
  for (let field = 0; field < length; field++) if (actuals[field] !== undefined) mask |= 1 << field;
  return mask;
}

function fieldsOf(mask: number): number[] {
  const fields: number[] = [];
  for (let field = 0; field < maxFields; field++) if ((mask & (1 << field)) !== 0) fields.push(field);
  return fields;
}

/** All tuples with one number of fields, or one set of keys: indexed by the shapes of the templates that were used. */
export class Form {
  /** The keys of records, in canonical order. */
  readonly keys: readonly string[] | undefined;
  readonly all: Bucket;
  readonly #shapes: Shape[] = [];
  readonly #makeRow: () => Row;
  #composites = 0;
  #waiters = 0;

  constructor(keys: readonly string[] | undefined, makeRow: () => Row) {
    this.keys = keys;
    this.#makeRow = makeRow;
    this.all = { key: "", row: makeRow(), waiting: undefined, shape: undefined };
  }

  get size(): number {
    return this.all.row.size;
  }

  /** Whether nobody would miss it. */
  get idle(): boolean {
    return this.size === 0 && this.#waiters === 0;
  }

  get shapes(): number {
    return this.#shapes.length;
  }

  add(resident: Resident, restored: boolean): void {
    this.#place(resident, this.all, restored);
    for (const shape of this.#shapes) this.#place(resident, this.#bucket(shape, resident.parts.parts), restored);
  }

  remove(resident: Resident): void {
    for (const place of resident.places) {
      place.bucket.row.remove(place);
      this.#dropIfEmpty(place.bucket);
    }
    resident.places = [];
  }

  /** The smallest bucket that has all matches; undefined where there is none. */
  search(actuals: Actuals): Bucket | undefined {
    const shape = this.#shapeFor(actuals);
    return shape === undefined ? this.all : shape.buckets.get(keyOf(shape.fields, actuals));
  }

  /** Stands in the line where the tuples come by that match. Returns what makes the waiter leave. */
  wait(actuals: Actuals, join: (line: WaitingLine) => () => void): () => void {
    const shape = this.#shapeFor(actuals);
    const bucket = shape === undefined ? this.all : this.#bucket(shape, actuals);
    bucket.waiting ??= new WaitingLine();
    const leave = join(bucket.waiting);
    this.#waiters++;
    if (shape !== undefined) shape.waiters++;
    return () => {
      leave();
      this.#waiters--;
      if (shape !== undefined) shape.waiters--;
      this.#dropIfEmpty(bucket);
    };
  }

  /** Adds the lines in which waiters for such a tuple may stand. */
  collectLines(parts: readonly string[], lines: WaitingLine[]): void {
    if (this.#waiters === 0) return;
    if (this.all.waiting !== undefined) lines.push(this.all.waiting);
    for (const shape of this.#shapes) {
      if (shape.waiters === 0) continue;
      const waiting = shape.buckets.get(keyOf(shape.fields, parts))?.waiting;
      if (waiting !== undefined) lines.push(waiting);
    }
  }

  #place(resident: Resident, bucket: Bucket, restored: boolean): void {
    const place = new Place(resident, bucket);
    if (restored) bucket.row.restore(place);
    else bucket.row.append(place);
    resident.places.push(place);
  }

  #bucket(shape: Shape, parts: Actuals): Bucket {
    const key = keyOf(shape.fields, parts);
    let bucket = shape.buckets.get(key);
    if (bucket === undefined) {
      bucket = { key, row: this.#makeRow(), waiting: undefined, shape };
      shape.buckets.set(key, bucket);
    }
    return bucket;
  }

  #dropIfEmpty({ shape, key, row, waiting }: Bucket): void {
    if (row.size === 0 && (waiting === undefined || waiting.size === 0)) shape?.buckets.delete(key);
  }

  /** The shape of exactly these fields, made on first use; with too many of them, the one with the smallest bucket. */
  #shapeFor(actuals: Actuals): Shape | undefined {
    const mask = maskOf(actuals);
    if (mask === 0) return undefined;
    const exact = this.#shapes.find((shape) => shape.mask === mask) ?? this.#makeShape(mask);
    if (exact !== undefined) return exact;
    for (const field of fieldsOf(mask)) {
      const single = 1 << field;
      if (!this.#shapes.some((shape) => shape.mask === single)) this.#makeShape(single);
    }
    let best: Shape | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const shape of this.#shapes) {
      if ((shape.mask & mask) !== shape.mask) continue;
      const bucket = shape.buckets.get(keyOf(shape.fields, actuals));
      const size = bucket === undefined ? 0 : bucket.row.size + (bucket.waiting?.size ?? 0);
      if (size >= least) continue;
      best = shape;
      least = size;
    }
    return best;
  }

  #makeShape(mask: number): Shape | undefined {
    const fields = fieldsOf(mask);
    if (fields.length > 1 || fields[0]! >= maxSingles) {
      if (this.#composites >= maxShapes) return undefined;
      this.#composites++;
    }
    const shape: Shape = { mask, fields, buckets: new Map(), waiters: 0 };
    this.#shapes.push(shape);
    this.all.row.each((resident) => this.#place(resident, this.#bucket(shape, resident.parts.parts), false));
    return shape;
  }
}
