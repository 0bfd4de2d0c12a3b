/**
 * Values as JSON on the command line. JSON lacks some of what messages and tuples carry; these stand for it, as records
 * of one key:
 *
 *   {"$bigint": "12"}   {"$bytes": "aGk="} (base64)   {"$number": "NaN" | "Infinity" | "-Infinity"}
 *
 * A record that really looks so gets one more `$`: {"$$bigint": "12"} is the record {"$bigint": "12"}.
 */
import { failed, misused } from "./failure.ts";

const tag = /^\$+(bigint|bytes|number)$/;

/** Sets an own member whatever its name: assignment to `__proto__` would set the prototype instead. */
export function setMember(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(record, key, { value, enumerable: true, writable: true, configurable: true });
  else record[key] = value;
}

function mapRecord(record: object, map: (value: unknown) => unknown): Record<string, unknown> {
  const mapped: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(record)) setMember(mapped, key, map(value));
  return mapped;
}

/** What JSON.stringify is to see instead of the value. */
function jsonable(value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: value.toString() };
  if (typeof value === "number") return Number.isFinite(value) ? value : { $number: String(value) };
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.map(jsonable);
  if (value instanceof Set) return [...value].map(jsonable);
  if (value instanceof Map) return [...value].map((entry) => entry.map(jsonable));
  const [key, ...more] = Object.keys(value);
  if (key !== undefined && more.length === 0 && tag.test(key)) {
    return { [`$${key}`]: jsonable((value as Record<string, unknown>)[key]) };
  }
  return mapRecord(value, jsonable);
}

/** The value as one line of JSON. What JSON has no notation for is tagged, see above; undefined is null. */
export function valueText(value: unknown): string {
  return JSON.stringify(jsonable(value)) ?? "null";
}

/** The value as the member of a record that is going to be JSON. */
export function jsonMember(value: unknown): unknown {
  return value === undefined ? null : jsonable(value);
}

/** Strings as they are, everything else as JSON. */
export function plainText(value: unknown): string {
  return typeof value === "string" ? value : valueText(value);
}

function untag(key: string, value: unknown): unknown {
  if (key.startsWith("$$")) return { [key.slice(1)]: fromTagged(value) };
  if (key === "$bigint" && typeof value === "string" && /^-?\d+$/.test(value)) return BigInt(value);
  if (key === "$bytes" && typeof value === "string" && /^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    return new Uint8Array(Buffer.from(value, "base64"));
  }
  if (key === "$number" && (value === "NaN" || value === "Infinity" || value === "-Infinity")) return Number(value);
  throw misused(
    `{"${key}": ${JSON.stringify(value)}} is not what {"$bigint": "12"}, {"$bytes": "aGk="} and {"$number": "NaN"} look like`,
  );
}

/** The value that tagged JSON stands for. Throws a usage failure for a malformed tag. */
export function fromTagged(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(fromTagged);
  const [key, ...more] = Object.keys(value);
  if (key !== undefined && more.length === 0 && tag.test(key)) {
    return untag(key, (value as Record<string, unknown>)[key]);
  }
  return mapRecord(value, fromTagged);
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function shellQuoted(text: string): string {
  return `'${JSON.stringify(text).replaceAll("'", "'\\''")}'`;
}

/** Reads a command-line argument as JSON. Throws a usage failure that shows how to write it. */
export function parseArgument(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw misused(`${what}: ${shorten(text)} is no JSON; a string is written ${shellQuoted(shorten(text))}`);
  }
}

/** Reads a line of stdin as JSON. */
export function parseLine(number: number, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw failed(`stdin, line ${number}: ${shorten(text)} is no JSON`);
  }
}
