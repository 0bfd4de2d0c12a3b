import type { Bucket, MakeBucket } from "./bucket.ts";
import { Place, type Resident } from "./resident.ts";
import { type Actuals, fieldsOf, keyOf, maskOf, type Shape } from "./shape.ts";
import { WaitingLine } from "./waiting-line.ts";

/** How many combinations of fields are indexed for one form; each costs every `out` of the form one insertion. */
const maxShapes = 8;
/** So many first fields can be indexed singly as well; what no shape serves uses the smallest bucket of its fields. */
const maxSingles = 16;

/** The number of fields, or the set of keys. */
export type FormId = number | string;

/** All tuples with one number of fields, or one set of keys: indexed by the shapes of the templates that were used. */
export class Form {
  readonly id: FormId;
  /** The keys of records, in canonical order. */
  readonly keys: readonly string[] | undefined;
  readonly all: Bucket;
  readonly #shapes: Shape[] = [];
  readonly #makeBucket: MakeBucket;
  #composites = 0;
  #waiters = 0;

  constructor(id: FormId, keys: readonly string[] | undefined, makeBucket: MakeBucket) {
    this.id = id;
    this.keys = keys;
    this.#makeBucket = makeBucket;
    this.all = makeBucket(undefined, "");
  }

  get size(): number {
    return this.all.size;
  }

  /** Whether nobody would miss it. */
  get idle(): boolean {
    return this.size === 0 && this.#waiters === 0;
  }

  /** How many buckets its shapes have: none is kept that is empty and that nobody waits in. */
  get buckets(): number {
    return this.#shapes.reduce((sum, shape) => sum + shape.buckets.size, 0);
  }

  add(resident: Resident, restored: boolean): void {
    this.#place(resident, this.all, restored);
    for (const shape of this.#shapes) this.#place(resident, this.#bucket(shape, resident.parts), restored);
  }

  remove(resident: Resident): void {
    for (let place = resident.place; place !== undefined; place = place.sibling) {
      place.bucket.remove(place);
      this.#dropIfEmpty(place.bucket);
    }
    resident.place = undefined;
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
    const place = new Place(resident, bucket, resident.place);
    if (restored) bucket.restore(place);
    else bucket.append(place);
    resident.place = place;
  }

  #bucket(shape: Shape, parts: Actuals): Bucket {
    const key = keyOf(shape.fields, parts);
    let bucket = shape.buckets.get(key);
    if (bucket === undefined) {
      bucket = this.#makeBucket(shape, key);
      shape.buckets.set(key, bucket);
    }
    return bucket;
  }

  #dropIfEmpty({ shape, key, size, waiting }: Bucket): void {
    if (size === 0 && (waiting === undefined || waiting.size === 0)) shape?.buckets.delete(key);
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
      const size = bucket === undefined ? 0 : bucket.size + (bucket.waiting?.size ?? 0);
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
    this.all.each((resident) => this.#place(resident, this.#bucket(shape, resident.parts), false));
    return shape;
  }
}
