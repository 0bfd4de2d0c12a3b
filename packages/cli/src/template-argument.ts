/**
 * Templates as JSON on the command line: an array or a record in which holes are written as
 *
 *   "?"                                        any field
 *   "?string" "?number" "?boolean" "?bigint" "?bytes" "?array" "?object"     any field of the kind
 *   "?1..5" "?0.5.." "?..5"                    a number in between, inclusive; "?1n..5n" a bigint; "?'a'..'m'" a string
 *   "?order-*"                                 a string that begins so
 *   {"?oneOf": [1, "a"]}                       one of these values
 *   {"?between": [1, 5]} {"?prefix": "a"}      as above, for values that the short forms cannot express
 *   {"?partial": {"kind": "task"}}             a record with at least these keys; also as the whole template
 *
 * A string that really begins with `?` gets one more: "??x" is "?x"; likewise the key of a record of one key.
 * Values that JSON lacks are written as value-text.ts says.
 */
import { any, between, type Field, type Hole, oneOf, partial, prefix, type Template } from "@quadrant/contract";
import { misused } from "./failure.ts";
import { fromTagged, parseArgument, setMember, valueText } from "./value-text.ts";

const kinds: Readonly<Record<string, Hole>> = {
  "": any,
  any,
  string: String,
  number: Number,
  boolean: Boolean,
  bigint: BigInt,
  bytes: Uint8Array,
  array: Array,
  object: Object,
};

const numberText = "-?(?:\\d+(?:\\.\\d+)?|\\.\\d+)(?:[eE][+-]?\\d+)?";
const numberRange = new RegExp(`^(${numberText})?\\.\\.(${numberText})?$`);
const bigintRange = /^(-?\d+)n\.\.(-?\d+)n$/;
const stringRange = /^'(.*)'\.\.'(.*)'$/s;

export const templateHelp = `
Templates are JSON, with holes:
  "?"                                  any field
  "?string" "?number" "?boolean" "?bigint" "?bytes" "?array" "?object"
  "?1..5" "?1.." "?..5"                a number in between; "?1n..5n" a bigint, "?'a'..'m'" a string
  "?order-*"                           a string that begins so
  {"?oneOf": [1, "a"]}                 one of these
  {"?between": [1, 5]}  {"?prefix": "a"}
  {"?partial": {"kind": "task"}}       a record with at least these keys
"??x" is the string "?x". {"$bigint": "12"}, {"$bytes": "aGk="}, {"$number": "NaN"} are what JSON lacks.
An array matches tuples of its own length, a record those with exactly its keys.`;

function unknownHole(text: string): Error {
  return misused(
    `"?${text}" is no hole; holes are "?", ${Object.keys(kinds)
      .filter((kind) => kind !== "" && kind !== "any")
      .map((kind) => `"?${kind}"`)
      .join(", ")}, "?1..5", "?prefix*"; the string "?${text}" is written "??${text}"`,
  );
}

/** Bounds the wrong way round would match nothing, and `in` would wait for ever. */
function range<T extends number | bigint | string>(low: T, high: T): Hole {
  const hole = between(low, high);
  if (low > high) throw misused(`${valueText(low)} to ${valueText(high)} is empty: give the lower bound first`);
  return hole;
}

function stringHole(text: string): Hole {
  if (Object.hasOwn(kinds, text)) return kinds[text]!;
  const numbers = numberRange.exec(text);
  if (numbers !== null && (numbers[1] ?? numbers[2]) !== undefined) {
    const [, low, high] = numbers;
    return range(
      low === undefined ? Number.NEGATIVE_INFINITY : Number(low),
      high === undefined ? Number.POSITIVE_INFINITY : Number(high),
    );
  }
  const bigints = bigintRange.exec(text);
  if (bigints !== null) return range(BigInt(bigints[1]!), BigInt(bigints[2]!));
  const strings = stringRange.exec(text);
  if (strings !== null) return range(strings[1]!, strings[2]!);
  if (text.endsWith("*")) return prefix(text.slice(0, -1));
  throw unknownHole(text);
}

function actual(value: unknown): Field {
  return fromTagged(value) as Field;
}

function recordHole(key: string, value: unknown): Hole {
  const wrong = (form: string): Error => misused(`${JSON.stringify({ [key]: value })}: write ${form}`);
  switch (key) {
    case "?oneOf":
      if (!Array.isArray(value)) throw wrong('{"?oneOf": [1, "a"]}');
      return oneOf(...value.map(actual));
    case "?between": {
      if (!Array.isArray(value) || value.length !== 2) throw wrong('{"?between": [1, 5]}');
      const [low, high] = value.map(actual) as [number, number];
      return range(low, high);
    }
    case "?prefix":
      if (typeof value !== "string") throw wrong('{"?prefix": "a"}');
      return prefix(value);
    case "?partial":
      if (typeof value !== "object" || value === null || Array.isArray(value))
        throw wrong('{"?partial": {"kind": "task"}}');
      return partial(recordOf(value));
    default:
      throw misused(`{"${key}": …} is no hole; the key "${key}" alone in a record is written "?${key}"`);
  }
}

function recordOf(record: object): { readonly [key: string]: Hole } {
  const mapped: Record<string, Hole> = {};
  for (const [key, value] of Object.entries(record)) setMember(mapped, key, holeOf(value));
  return mapped;
}

function holeOf(value: unknown): Hole {
  if (typeof value === "string") {
    if (!value.startsWith("?")) return value;
    return value.startsWith("??") ? value.slice(1) : stringHole(value.slice(1));
  }
  if (typeof value !== "object" || value === null) return value as Hole;
  if (Array.isArray(value)) return value.map(holeOf);
  const [key, ...more] = Object.keys(value);
  if (key !== undefined && more.length === 0) {
    const inner = (value as Record<string, unknown>)[key];
    if (key.startsWith("??")) return { [key.slice(1)]: holeOf(inner) };
    if (key.startsWith("?")) return recordHole(key, inner);
    if (/^\$\$+(bigint|bytes|number)$/.test(key)) return { [key.slice(1)]: holeOf(inner) };
    if (/^\$(bigint|bytes|number)$/.test(key)) return actual(value);
  }
  return recordOf(value);
}

/** The template that an argument stands for. Throws a usage failure. */
export function parseTemplate(text: string): Template {
  const value = parseArgument("the template", text);
  if (typeof value !== "object" || value === null) {
    throw misused(`the template: ${text} is neither an array nor a record; write '["task", "?number"]'`);
  }
  return holeOf(value) as Template;
}
