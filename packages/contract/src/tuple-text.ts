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
import { any, type Field, formalShape, type Tuple } from "./tuple.ts";

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

/** The text of an array or record whose parts `encode` writes. */
export function encodeParts(
  value: object,
  tags: readonly [array: string, record: string],
  encode: (part: unknown) => string,
): string {
  if (Array.isArray(value)) {
    let text = `${tags[0]}${value.length}:`;
    for (let i = 0; i < value.length; i++) {
      const part = encode(value[i]);
      text += `${part.length}:${part}`;
    }
    return text;
  }
  const keys = recordKeys(value);
  let text = `${tags[1]}${keys.length}:`;
  for (const key of keys) {
    const part = encode((value as Record<string, unknown>)[key]);
    text += `${key.length}:${checkText(key)}${part.length}:${part}`;
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
      return encodeParts(value, ["a", "o"], (part) => encodeField(part, depth + 1));
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

function malformed(): BusError {
  return new BusError("codec", "not the text of a tuple");
}

/** Reads `<number>:` at `at`; returns the number and the index after the colon. */
function readLength(text: string, at: number): readonly [length: number, next: number] {
  let value = 0;
  let i = at;
  for (; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    if (value > text.length) throw malformed();
  }
  if (i === at || text[i] !== ":") throw malformed();
  return [value, i + 1];
}

/** A composite text taken apart one level deep. */
export interface TextParts {
  readonly tag: string;
  /** In canonical order; undefined for arrays. */
  readonly keys: readonly string[] | undefined;
  readonly parts: readonly string[];
}

/** Takes a composite apart, one level. `keyed` says for which tags names stand before the parts. */
export function splitText(text: string, keyed: (tag: string) => boolean = (tag) => tag === "o"): TextParts {
  const tag = text[0] ?? "";
  let [count, at] = readLength(text, 1);
  const keys: string[] | undefined = keyed(tag) ? [] : undefined;
  const parts: string[] = [];
  const take = (): string => {
    const [length, start] = readLength(text, at);
    at = start + length;
    if (at > text.length) throw malformed();
    return text.slice(start, at);
  };
  for (; count > 0; count--) {
    keys?.push(take());
    parts.push(take());
  }
  if (at !== text.length) throw malformed();
  return { tag, keys, parts };
}

/** The value of a field's text: a fresh copy each time. Throws "codec" for a text that is none. */
export function decodeField(text: string, depth: number = 0): Field {
  switch (text[0]) {
    case "z":
      return null;
    case "t":
      return true;
    case "f":
      return false;
    case "n":
      return Number(text.slice(1));
    case "i":
      if (!/^i-?\d+$/.test(text)) throw malformed();
      return BigInt(text.slice(1));
    case "s":
      return text.slice(1);
    case "b":
      return new Uint8Array(Buffer.from(text.slice(1), "base64"));
    case "a":
    case "o":
      return decodeComposite(text, depth);
    default:
      throw malformed();
  }
}

function decodeComposite(text: string, depth: number): Field {
  if (depth >= maxDepth) throw malformed();
  const { keys, parts } = splitText(text);
  if (keys === undefined) return parts.map((part) => decodeField(part, depth + 1));
  const record: Record<string, Field> = {};
  for (const [index, key] of keys.entries()) {
    const value = decodeField(parts[index]!, depth + 1);
    // An own member whatever its name: assignment to `__proto__` would set the prototype instead.
    if (key === "__proto__")
      Object.defineProperty(record, key, { value, enumerable: true, writable: true, configurable: true });
    else record[key] = value;
  }
  return record;
}

/** The tuple of a text: a fresh copy each time. */
export function decodeTuple(text: string): Tuple {
  if (text[0] !== "a" && text[0] !== "o") throw malformed();
  return decodeComposite(text, 0) as Tuple;
}
