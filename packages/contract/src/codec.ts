import { BusError } from "./errors.ts";

/** Turns values into bytes and back. */
export interface Codec {
  readonly contentType: string;
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** Values nested deeper than this are "codec": a megabyte of brackets blocks a parser or overflows its stack. */
export const maxDepth: number = 64;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function countAtMost(text: string, character: string, limit: number): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1 && count <= limit; at = text.indexOf(character, at + 1)) count++;
  return count;
}

/** Scans only texts that could be too deep: as many openings as levels are needed. */
function tooDeep(text: string): boolean {
  if (text.length <= 2 * maxDepth) return false;
  if (countAtMost(text, "[", maxDepth) + countAtMost(text, "{", maxDepth) <= maxDepth) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > maxDepth) return true;
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
  return false;
}

function jsonText(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause);
    throw new BusError("codec", `JSON cannot carry this value: ${why}`, { cause });
  }
  if (text === undefined) {
    throw new BusError(
      "codec",
      `JSON cannot carry ${value === undefined ? "undefined" : `a ${typeof value}`}; send null or a value`,
    );
  }
  if (tooDeep(text)) throw new BusError("codec", `the value is nested deeper than ${maxDepth} levels`);
  return text;
}

/**
 * As JSON.stringify sees it: undefined members vanish, dates become strings, NaN null; undefined itself, functions,
 * symbols, bigints and cycles are "codec", and so is what is nested deeper than 64 levels.
 */
export const json: Codec = {
  contentType: "application/json",
  encode(value: unknown): Uint8Array {
    return encoder.encode(jsonText(value));
  },
  decode(bytes: Uint8Array): unknown {
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch (cause) {
      throw new BusError("codec", `${bytes.length} bytes are no UTF-8, so no JSON`, { cause });
    }
    if (tooDeep(text)) throw new BusError("codec", `the JSON is nested deeper than ${maxDepth} levels`);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new BusError("codec", `${bytes.length} bytes are no JSON`, { cause });
    }
  },
};

/** Uint8Array in, Uint8Array out, untouched. Both ways a copy: the caller's buffer stays the caller's. */
export const bytes: Codec = {
  contentType: "application/octet-stream",
  encode(value: unknown): Uint8Array {
    if (!(value instanceof Uint8Array))
      throw new BusError("codec", `the bytes codec carries Uint8Array, not ${typeof value}`);
    return new Uint8Array(value);
  },
  decode(body: Uint8Array): unknown {
    return new Uint8Array(body);
  },
};
