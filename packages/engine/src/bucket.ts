import type { Row } from "./row.ts";
import type { WaitingLine } from "./waiting-line.ts";

/** The tuples that agree in the fields of a shape, and who waits for more of them. */
export interface Bucket {
  readonly key: string;
  readonly row: Row;
  /** undefined while nobody ever waited. */
  waiting: WaitingLine | undefined;
  /** Where it is found by its key; undefined for the bucket of all tuples of a form. */
  readonly shape: Shape | undefined;
}

/** Some fields of the tuples of one form, and the tuples by their values in these fields. */
export interface Shape {
  /** The fields as bits. */
  readonly mask: number;
  readonly fields: readonly number[];
  readonly buckets: Map<string, Bucket>;
  /** How many wait in its buckets. */
  waiters: number;
}

/** What the tuple has in the shape's fields, as one text. */
export function keyOf(fields: readonly number[], parts: readonly (string | undefined)[]): string {
  if (fields.length === 1) return parts[fields[0]!]!;
  let key = "";
  for (const field of fields) {
    const part = parts[field]!;
    key += `${part.length}:${part}`;
  }
  return key;
}
