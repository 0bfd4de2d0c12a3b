import { BusError } from "./errors.ts";

export type Field =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Field[]
  | { readonly [key: string]: Field };
/** Positional, or a record of named fields. */
export type Tuple = readonly Field[] | { readonly [key: string]: Field };
/** Keeps `out` open to interfaces and literals, and shut to functions, symbols, undefined and formals. */
export type FieldOf<T> = [Tuple] extends [T]
  ? T // a tuple whose type says no more than Tuple: taking it apart would never end
  : T extends null | boolean | number | bigint | string | Uint8Array
    ? T
    : T extends undefined | symbol | ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown)
      ? never
      : T extends object
        ? { readonly [K in keyof T]: FieldOf<T[K]> }
        : never;
/**
 * A tuple with holes. An actual matches what equals it (NaN equals NaN, -0 equals 0, 1n is not 1, bytes by content,
 * arrays and records deeply). A formal matches by kind: String, Number, Boolean, BigInt, Uint8Array, Array, Object,
 * `any`, `between(a, b)`, `oneOf(…)`, `prefix("…")`. null is a value, never a wildcard. A positional template matches
 * tuples of its own length; a record template matches records with exactly its keys, `partial({...})` those with at least them.
 */
export type Template = readonly Hole[] | { readonly [key: string]: Hole } | Formal<object>;
export type Hole =
  | Field
  | typeof any
  | Formal<unknown>
  | StringConstructor
  | NumberConstructor
  | BooleanConstructor
  | BigIntConstructor
  | Uint8ArrayConstructor
  | ArrayConstructor
  | ObjectConstructor
  | readonly Hole[]
  | { readonly [key: string]: Hole };
/** The formal that matches every field: an unforgeable wildcard, null being a value. */
export const any: unique symbol = Symbol.for("quadrant.any") as never;
/** Marks formals; the type parameter is what the formal matches. */
declare const formal: unique symbol;
/** A formal that carries the type of what it matches. */
export interface Formal<T> {
  readonly [formal]: T;
}

/** What a formal made by `between`, `oneOf`, `prefix` or `partial` holds. */
export type FormalShape =
  | { readonly kind: "between"; readonly low: number | bigint | string; readonly high: number | bigint | string }
  | { readonly kind: "oneOf"; readonly values: readonly Field[] }
  | { readonly kind: "prefix"; readonly text: string }
  | { readonly kind: "partial"; readonly record: { readonly [key: string]: Hole } };

// Symbol.for: two copies of this package in one process recognise each other's formals.
const shape: unique symbol = Symbol.for("quadrant.formal") as never;

function makeFormal<T>(value: FormalShape): Formal<T> {
  return Object.freeze({ [shape]: value }) as unknown as Formal<T>;
}

/** The shape of a formal made here, undefined for anything else. */
export function formalShape(value: object): FormalShape | undefined {
  return (value as { readonly [shape]?: FormalShape })[shape];
}

/** Inclusive at both ends; numbers with numbers, bigints with bigints, strings with strings by code unit. */
export function between<T extends number | bigint | string>(
  low: T,
  high: T,
): Formal<T extends number ? number : T extends bigint ? bigint : string> {
  const kind = typeof low;
  if (kind !== typeof high || (kind !== "number" && kind !== "bigint" && kind !== "string")) {
    throw new BusError("invalid", "between(low, high) takes two numbers, two bigints or two strings");
  }
  if (Number.isNaN(low) || Number.isNaN(high)) throw new BusError("invalid", "between(low, high): NaN bounds nothing");
  return makeFormal({ kind: "between", low, high });
}

/** Matches any of the values. */
export function oneOf<const F extends readonly Field[]>(...values: F): Formal<F[number]> {
  return makeFormal({ kind: "oneOf", values });
}

/** Matches strings that begin with `text`. */
export function prefix<P extends string>(text: P): Formal<`${P}${string}`> {
  if (typeof text !== "string") throw new BusError("invalid", "prefix(text) takes a string");
  return makeFormal({ kind: "prefix", text });
}

/** Matches records that have at least these keys. */
export function partial<const R extends { readonly [key: string]: Hole }>(
  record: R,
): Formal<Match<R> & { readonly [key: string]: Field }> {
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    throw new BusError("invalid", "partial(record) takes a record of fields");
  }
  return makeFormal({ kind: "partial", record });
}

/** The tuple's static type, inferred from the template: `space.in(["task", Number, any])` is `readonly ["task", number, Field]`. */
export type Match<P> = [Tuple] extends [P]
  ? // A type that says no more than Tuple, Template or Hole: taking it apart would never end.
    [P] extends [Field]
    ? P
    : [Hole] extends [P]
      ? Field
      : Tuple
  : P extends typeof any
    ? Field
    : P extends StringConstructor
      ? string
      : P extends NumberConstructor
        ? number
        : P extends BooleanConstructor
          ? boolean
          : P extends BigIntConstructor
            ? bigint
            : P extends Uint8ArrayConstructor
              ? Uint8Array
              : P extends ArrayConstructor
                ? readonly Field[]
                : P extends ObjectConstructor
                  ? { readonly [key: string]: Field }
                  : P extends Formal<infer T>
                    ? T
                    : P extends Uint8Array
                      ? Uint8Array
                      : P extends readonly unknown[]
                        ? { readonly [K in keyof P]: Match<P[K]> }
                        : P extends object
                          ? { readonly [K in keyof P]: Match<P[K]> }
                          : P;
