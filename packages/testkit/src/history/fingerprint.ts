import { createHash } from "node:crypto";
import { encodeTemplate, encodeTuple, maxDepth } from "@quadrant/contract";

/** A body's canonical text that is longer is told by its hash. */
const maxBody = 200;
/** A tuple's text that is longer: then no template can be matched against it. */
const maxTuple = 2_048;

function bounded(text: string, most: number): string {
  if (text.length <= most) return text;
  return `sha256:${createHash("sha256").update(text).digest("base64url")}:${text.length}`;
}

/** Whether the text stands for a longer one. */
export function isHashed(text: string): boolean {
  return text.startsWith("sha256:");
}

function canonical(value: unknown, depth: number): unknown {
  if (depth > maxDepth) throw new Error("too deep");
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (value instanceof Map) return { $map: [...value].map((pair) => canonical(pair, depth + 1)) };
  if (value instanceof Set) return { $set: [...value].map((item) => canonical(item, depth + 1)) };
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return canonical(toJSON.call(value, ""), depth + 1);
  if (Array.isArray(value)) return value.map((item) => canonical(item, depth + 1));
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, canonical((value as Record<string, unknown>)[key], depth + 1)]));
}

/**
 * A text that is the same for a body before it is encoded and after it is decoded, whatever the codec: dates are strings,
 * NaN is null, members of undefined are not there. What no codec carries is "?".
 */
export function fingerprintOf(body: unknown): string {
  try {
    return bounded(JSON.stringify(canonical(body, 0)) ?? "?", maxBody);
  } catch {
    return "?";
  }
}

/** The canonical text of a tuple; undefined for what is none. */
export function tupleText(tuple: unknown): string | undefined {
  try {
    return bounded(encodeTuple(tuple), maxTuple);
  } catch {
    return undefined;
  }
}

/** The canonical text of a template; undefined for what is none. */
export function templateText(template: unknown): string | undefined {
  try {
    return bounded(encodeTemplate(template), maxTuple);
  } catch {
    return undefined;
  }
}
