import { TextFields } from "@quadrant/contract";
import type { Bucket, Candidates, MakeBucket } from "./bucket.ts";
import type { Resident } from "./resident.ts";
import { fieldsOf, Shape } from "./shape.ts";
import { type SpaceWaiter, WaitingLine } from "./waiting-line.ts";

/** How many combinations of fields are indexed for one form; each costs every `out` of the form one insertion. */
const maxShapes = 8;
/** So many first fields can be indexed singly as well; what no shape serves uses the smallest bucket of its fields. */
const maxSingles = 16;

/** All tuples with one number of fields, or one set of keys: indexed by the shapes of the templates that were used. */
export class Form {
  /** The keys of records, in canonical order. */
  readonly keys: readonly string[] | undefined;
  /** Of the keys, or the number of fields. */
  readonly hash: number;
  readonly all: Bucket;
  /** Who waits for any of them. */
  readonly #line = new WaitingLine();
  readonly #shapes: Shape[] = [];
  readonly #makeBucket: MakeBucket;
  #composites = 0;
  #waiters = 0;

  constructor(keys: readonly string[] | undefined, hash: number, makeBucket: MakeBucket) {
    this.keys = keys;
    this.hash = hash;
    this.#makeBucket = makeBucket;
    this.all = makeBucket(undefined);
  }

  get size(): number {
    return this.all.size;
  }

  /** Whether nobody would miss it. */
  get idle(): boolean {
    return this.size === 0 && this.#waiters === 0;
  }

  /** How many keys its shapes have of which there is a tuple, or for which somebody waits. */
  get buckets(): number {
    return this.#shapes.reduce((sum, shape) => sum + shape.size + shape.lines.size, 0);
  }

  /** `fields`: of the tuple's text. */
  add(resident: Resident, fields: TextFields, restored: boolean): void {
    if (restored) this.all.restore(resident);
    else this.all.append(resident);
    for (const shape of this.#shapes) shape.add(resident, fields, restored);
  }

  /** The tuple that a search has just found, without reading it again; false where that is not enough to remove it. */
  removeSought(resident: Resident): boolean {
    if (this.#shapes.length !== 1 || resident.place !== undefined) return false;
    if (!this.#shapes[0]!.removeSought(resident)) return false;
    this.all.remove(resident);
    return true;
  }

  /** `fields`: of the tuple's text. */
  remove(resident: Resident, fields: TextFields): void {
    this.all.remove(resident);
    let places = 0;
    for (let place = resident.place; place !== undefined; place = place.sibling) {
      const { bucket } = place;
      bucket.remove(place);
      if (bucket.size === 0) bucket.key!.shape.removeBucket(bucket);
      places++;
    }
    if (places < this.#shapes.length) {
      // Where it was alone with its key.
      for (const shape of this.#shapes) if (!has(resident, shape)) shape.remove(resident, fields);
    }
    resident.place = undefined;
  }

  /** Where all are that have these values in the fields of the mask; undefined where there are none. */
  search(mask: number, values: readonly string[]): Candidates | undefined {
    const shape = this.#shapeFor(mask, values);
    if (shape !== undefined) return shape.find(values, this.keys !== undefined);
    return this.all.size === 0 ? undefined : this.all;
  }

  /** Which index serves what has these values in the fields of the mask, and how many tuples it leads to. */
  explain(mask: number, values: readonly string[]): { readonly index: string; readonly candidates: number } {
    const shape = this.#shapeFor(mask, values);
    if (shape === undefined) return { index: "scan", candidates: this.all.size };
    const candidates = shape.find(values, this.keys !== undefined)?.size ?? 0;
    const { keys } = this;
    const index =
      keys === undefined
        ? `fields ${shape.fields.join(", ")}`
        : `keys ${shape.fields.map((field) => keys[field]).join(", ")}`;
    return { index, candidates };
  }

  /** Stands in the line where the tuples come by that match. Returns what makes the waiter leave. */
  wait(waiter: SpaceWaiter): () => void {
    const { mask, parts } = waiter.template;
    const shape = this.#shapeFor(mask, parts);
    const leave = shape === undefined ? this.#line.join(waiter) : shape.lines.join(shape.lineOf(parts), waiter);
    this.#waiters++;
    return () => {
      leave();
      this.#waiters--;
    };
  }

  /** Adds the lines in which waiters for such a tuple may stand. */
  collectLines(fields: TextFields, lines: WaitingLine[]): void {
    if (this.#waiters === 0) return;
    if (this.#line.size > 0) lines.push(this.#line);
    for (const shape of this.#shapes) {
      if (shape.lines.waiters === 0) continue;
      const line = shape.lines.get(shape.lineFor(fields));
      if (line !== undefined) lines.push(line);
    }
  }

  /** The shape of exactly these fields, made on first use; with too many of them, the one with the smallest bucket. */
  #shapeFor(mask: number, values: readonly string[]): Shape | undefined {
    if (mask === 0) return undefined;
    const exact = this.#shapeOf(mask) ?? this.#makeShape(mask);
    if (exact !== undefined) return exact;
    for (const field of fieldsOf(mask)) this.#shapeOf(1 << field) ?? this.#makeShape(1 << field);
    let best: Shape | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const shape of this.#shapes) {
      if ((shape.mask & mask) !== shape.mask) continue;
      const tuples = shape.find(values, this.keys !== undefined)?.size ?? 0;
      const size = tuples + (shape.lines.get(shape.lineOf(values))?.size ?? 0);
      if (size >= least) continue;
      best = shape;
      least = size;
    }
    return best;
  }

  #shapeOf(mask: number): Shape | undefined {
    for (const shape of this.#shapes) if (shape.mask === mask) return shape;
    return undefined;
  }

  #makeShape(mask: number): Shape | undefined {
    const fields = fieldsOf(mask);
    if (fields.length > 1 || fields[0]! >= maxSingles) {
      if (this.#composites >= maxShapes) return undefined;
      this.#composites++;
    }
    const shape = new Shape(mask, this.#makeBucket);
    this.#shapes.push(shape);
    const texts = new TextFields();
    this.all.each((resident) => {
      texts.read(resident.text, this.keys !== undefined);
      shape.add(resident, texts, false);
    });
    return shape;
  }
}

function has(resident: Resident, shape: Shape): boolean {
  for (let place = resident.place; place !== undefined; place = place.sibling) {
    if (place.bucket.key!.shape === shape) return true;
  }
  return false;
}
