/**
 * The canonical text of a field: type-tagged, so that two fields are equal exactly when their texts are, in any process,
 * after any network. Drivers carry tuples as this text; engines index and match it without building values.
 *
 *   z null   t true   f false   n<number>   i<bigint>   s<string>   b<base64>
 *   a<count>:(<length>:<field>)*                 array, also a positional tuple
 *   o<count>:(<length>:<key><length>:<field>)*   record, keys in code-unit order, also a record tuple
 *
 * Lengths count UTF-16 code units. -0 is written 0, NaN is one value; strings with lone surrogates have no text.
 */
import { maxDepth } from "./codec.ts";
import { BusError } from "./errors.ts";
import { roomFor } from "./room.ts";
import { behind, lengthAt, malformed, TextFields } from "./text-fields.ts";
import { any, type Field, formalShape, type Tuple } from "./tuple.ts";

const arrayTag = 0x61;
const recordTag = 0x6f;
const minus = 0x2d;
const zero = 0x30;

const formalConstructors: ReadonlySet<unknown> = new Set([String, Number, Boolean, BigInt, Uint8Array, Array, Object]);

/** Whether the value is a formal, which only templates may hold. */
export function isFormal(value: unknown): boolean {
  if (value === any) return true;
  if (typeof value === "function") return formalConstructors.has(value);
  return typeof value === "object" && value !== null && formalShape(value) !== undefined;
}

export function checkText(text: string): string {
  if (!text.isWellFormed()) throw new BusError("codec", "a string with a lone surrogate has no place in a tuple");
  return text;
}

/** A plain record: made by a literal, `Object.create(null)` or another realm's literal. */
export function isRecord(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === null || proto === Object.prototype || Object.getPrototypeOf(proto) === null;
}

/** The own enumerable string keys of a record in canonical order; symbols are refused. */
export function recordKeys(record: object): string[] {
  for (const symbol of Object.getOwnPropertySymbols(record)) {
    throw new BusError("codec", `a record with the key ${String(symbol)} cannot be carried: use string keys`);
  }
  return Object.keys(record).sort();
}

function uncarriable(value: unknown): BusError {
  if (isFormal(value))
    return new BusError("invalid", "a tuple has no formals: `any`, String, between(…) belong in templates");
  const what = typeof value === "object" && value !== null ? (value.constructor?.name ?? "object") : typeof value;
  return new BusError(
    "codec",
    `a tuple cannot carry ${what}: use null, booleans, numbers, bigints, strings, Uint8Array, arrays and plain records`,
  );
}

export function encodeBytes(value: Uint8Array): string {
  return `b${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")}`;
}

/** Small lengths as they stand before what they are of: to join two texts is cheaper than three. */
const lengths: readonly string[] = Array.from({ length: 256 }, (_, length) => `${length}:`);

/** A text behind its length. */
export function sized(part: string): string {
  const { length } = part;
  return (length < 256 ? lengths[length]! : `${length}:`) + part;
}

/** What stands behind the tag of an array or record whose parts `encode` writes, one level deeper. */
export function encodeParts(value: object, depth: number, encode: (part: unknown, depth: number) => string): string {
  if (Array.isArray(value)) {
    const { length } = value;
    let text = length < 256 ? lengths[length]! : `${length}:`;
    for (let i = 0; i < length; i++) text += sized(encode(value[i], depth + 1));
    return text;
  }
  const keys = recordKeys(value);
  let text = `${keys.length}:`;
  for (const key of keys) {
    text += sized(checkText(key)) + sized(encode((value as Record<string, unknown>)[key], depth + 1));
  }
  return text;
}

/** The canonical text of a field. Throws "codec" for what no tuple carries, "invalid" for a formal. */
export function encodeField(value: unknown, depth: number = 0): string {
  switch (typeof value) {
    case "string":
      return `s${checkText(value)}`;
    case "number":
      return value === 0 ? "n0" : `n${value}`;
    case "boolean":
      return value ? "t" : "f";
    case "bigint":
      return `i${value}`;
    case "object": {
      if (value === null) return "z";
      if (value instanceof Uint8Array) return encodeBytes(value);
      if (depth >= maxDepth)
        throw new BusError("codec", `a tuple nested deeper than ${maxDepth} levels, or in a cycle`);
      if (formalShape(value) !== undefined || !(Array.isArray(value) || isRecord(value))) throw uncarriable(value);
      return (Array.isArray(value) ? "a" : "o") + encodeParts(value, depth, encodeField);
    }
    default:
      throw uncarriable(value);
  }
}

/** The canonical text of a tuple. Throws "invalid" for what is neither an array nor a plain record. */
export function encodeTuple(tuple: unknown): string {
  if (typeof tuple !== "object" || tuple === null || tuple instanceof Uint8Array) {
    throw new BusError("invalid", "a tuple is an array of fields or a record of named fields");
  }
  return encodeField(tuple);
}

/** Used by one call at a time. */
const fields = new TextFields();

/** A composite text taken apart one level deep. */
export interface TextParts {
  readonly tag: string;
  /** In canonical order; undefined for arrays. */
  readonly keys: readonly string[] | undefined;
  readonly parts: readonly string[];
}

/** Takes a composite apart, one level. `keyed`: whether names stand before the parts. */
export function splitText(text: string, keyed: boolean = text.startsWith("o")): TextParts {
  fields.read(text, keyed);
  const { count } = fields;
  const keys = keyed ? roomFor<string>(count) : undefined;
  const parts = roomFor<string>(count);
  for (let index = 0; index < count; index++) {
    if (keys !== undefined) keys[index] = fields.key(index);
    parts[index] = fields.field(index);
  }
  return { tag: text[0]!, keys, parts };
}

/** Longer ones may be more than a number holds exactly while digits are added up. */
const plainDigits = 15;

/** The number of a number's text, which stands in a longer one. */
export function numberIn(text: string, start: number, end: number): number {
  const first = text.charCodeAt(start + 1) === minus ? start + 2 : start + 1;
  let value = 0;
  let at = first;
  if (end - first <= plainDigits) {
    for (; at < end; at++) {
      const digit = text.charCodeAt(at) - zero;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
  }
  if (at !== end || at === first) return Number(text.slice(start + 1, end));
  return first === start + 1 ? value : -value;
}

/** The value of a field's text: a fresh copy each time. Throws "codec" for a text that is none. */
export function decodeField(text: string): Field {
  return decodeIn(text, 0, text.length, 0);
}

function decodeIn(text: string, start: number, end: number, depth: number): Field {
  switch (start < end ? text.charCodeAt(start) : 0) {
    case 0x7a: // z
      return null;
    case 0x74: // t
      return true;
    case 0x66: // f
      return false;
    case 0x6e: // n
      return numberIn(text, start, end);
    case 0x69: {
      // i
      const body = text.slice(start + 1, end);
      if (!/^-?\d+$/.test(body)) throw malformed();
      return BigInt(body);
    }
    case 0x73: // s
      return text.slice(start + 1, end);
    case 0x62: // b
      return new Uint8Array(Buffer.from(text.slice(start + 1, end), "base64"));
    case arrayTag:
      return decodeArray(text, start, end, depth);
    case recordTag:
      return decodeRecord(text, start, end, depth);
    default:
      throw malformed();
  }
}

function decodeArray(text: string, start: number, end: number, depth: number): Field {
  if (depth >= maxDepth) throw malformed();
  const count = lengthAt(text, start + 1);
  const values = roomFor<Field>(count);
  let at = behind(start + 1, count);
  for (let index = 0; index < count; index++) {
    const length = lengthAt(text, at);
    const from = behind(at, length);
    at = from + length;
    if (at > end) throw malformed();
    values[index] = decodeIn(text, from, at, depth + 1);
  }
  if (at !== end) throw malformed();
  return values;
}

function decodeRecord(text: string, start: number, end: number, depth: number): Field {
  if (depth >= maxDepth) throw malformed();
  const record: Record<string, Field> = {};
  let count = lengthAt(text, start + 1);
  let at = behind(start + 1, count);
  for (; count > 0; count--) {
    const keyLength = lengthAt(text, at);
    const keyFrom = behind(at, keyLength);
    const keyEnd = keyFrom + keyLength;
    const length = lengthAt(text, keyEnd);
    const from = behind(keyEnd, length);
    at = from + length;
    if (at > end) throw malformed();
    const value = decodeIn(text, from, at, depth + 1);
    const key = text.slice(keyFrom, keyEnd);
    // An own member whatever its name: assignment to `__proto__` would set the prototype instead.
    if (key === "__proto__")
      Object.defineProperty(record, key, { value, enumerable: true, writable: true, configurable: true });
    else record[key] = value;
  }
  if (at !== end) throw malformed();
  return record;
}

/** The tuple of a text: a fresh copy each time. */
export function decodeTuple(text: string): Tuple {
  const tag = text.charCodeAt(0);
  if (tag !== arrayTag && tag !== recordTag) throw malformed();
  return decodeIn(text, 0, text.length, 0) as Tuple;
}
