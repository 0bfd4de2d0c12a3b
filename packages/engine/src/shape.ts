import type { Bucket } from "./bucket.ts";

/** Fields that can be part of a shape. */
const maxFields = 30;

/** What a template asks of each field of a form: its text, or undefined where it has a formal. */
export type Actuals = readonly (string | undefined)[];

/** Some fields of the tuples of one form, and the tuples by their values in these fields. */
export interface Shape {
  /** The fields as bits. */
  readonly mask: number;
  readonly fields: readonly number[];
  readonly buckets: Map<string, Bucket>;
  /** How many wait in its buckets. */
  waiters: number;
}

export function maskOf(actuals: Actuals): number {
  let mask = 0;
  const length = Math.min(actuals.length, maxFields);
  for (let field = 0; field < length; field++) if (actuals[field] !== undefined) mask |= 1 << field;
  return mask;
}

export function fieldsOf(mask: number): number[] {
  const fields: number[] = [];
  for (let field = 0; field < maxFields; field++) if ((mask & (1 << field)) !== 0) fields.push(field);
  return fields;
}

/** What a tuple has in the fields, as one text. */
export function keyOf(fields: readonly number[], parts: Actuals): string {
  const last = fields.length - 1;
  let key = "";
  for (let i = 0; i < last; i++) {
    const part = parts[fields[i]!]!;
    key += `${part.length}:${part}`;
  }
  return key + parts[fields[last]!]!;
}
