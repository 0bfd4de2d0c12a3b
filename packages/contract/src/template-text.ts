/**
 * The text of a template: that of a field (tuple-text.ts) where everything is actual, and beside it, for holes:
 *
 *   ?                       any
 *   k<tag>                  a field by kind: ks kn kt (boolean) ki kb ka ko
 *   r(<length>:<field>)2    between, inclusive        e<count>:(<length>:<field>)*   one of
 *   p<string>               strings with the prefix
 *   A… O… P…                as a… and o…, with a hole somewhere inside; P is a partial record: other keys are allowed
 */
import { maxDepth } from "./codec.ts";
import { BusError } from "./errors.ts";
import { any, type FormalShape, formalShape } from "./tuple.ts";
import { checkText, encodeBytes, encodeField, encodeParts, isRecord, splitText } from "./tuple-text.ts";

const kindTags: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [String, "ks"],
  [Number, "kn"],
  [Boolean, "kt"],
  [BigInt, "ki"],
  [Uint8Array, "kb"],
  [Array, "ka"],
  [Object, "ko"],
]);

const holeTags = "?krepAOP";

function encodeShape(shape: FormalShape, depth: number): string {
  switch (shape.kind) {
    case "between": {
      const low = encodeField(shape.low);
      const high = encodeField(shape.high);
      return `r2:${low.length}:${low}${high.length}:${high}`;
    }
    case "oneOf":
      return encodeParts(shape.values, ["e", "e"], (value) => encodeField(value, depth + 1));
    case "prefix":
      return `p${checkText(shape.text)}`;
    case "partial":
      return encodeParts(shape.record, ["P", "P"], (part) => encodeHole(part, depth + 1));
  }
}

function encodeComposite(value: object, depth: number): string {
  let holes = false;
  const text = encodeParts(value, ["a", "o"], (part) => {
    const inner = encodeHole(part, depth + 1);
    if (holeTags.includes(inner[0]!)) holes = true;
    return inner;
  });
  return holes ? text[0]!.toUpperCase() + text.slice(1) : text;
}

function encodeHole(value: unknown, depth: number): string {
  if (value === any) return "?";
  if (typeof value === "function") {
    const tag = kindTags.get(value);
    if (tag !== undefined) return tag;
  }
  if (typeof value !== "object" || value === null) return encodeField(value);
  if (value instanceof Uint8Array) return encodeBytes(value);
  if (depth >= maxDepth) throw new BusError("codec", `a template nested deeper than ${maxDepth} levels, or in a cycle`);
  const shape = formalShape(value);
  if (shape !== undefined) return encodeShape(shape, depth);
  if (!Array.isArray(value) && !isRecord(value)) return encodeField(value);
  return encodeComposite(value, depth);
}

/** The text of a template. Throws "invalid" for what is none, "codec" for a field that no tuple carries. */
export function encodeTemplate(template: unknown): string {
  if (typeof template !== "object" || template === null || template instanceof Uint8Array) {
    throw new BusError("invalid", "a template is an array, a record, or partial({…})");
  }
  const shape = formalShape(template);
  if (shape !== undefined && shape.kind !== "partial") {
    throw new BusError("invalid", `${shape.kind}(…) matches a field, not a tuple: put it into an array or record`);
  }
  return encodeHole(template, 0);
}

/** One field of a template. */
export interface CompiledHole {
  /** The text that a field must equal; undefined where the hole is a formal. */
  readonly actual: string | undefined;
  /** Whether a field's text matches. */
  matches(field: string): boolean;
}

/** A template ready to match. */
export interface CompiledTemplate {
  readonly kind: "positional" | "record" | "partial";
  /** In canonical order; undefined for positional templates. */
  readonly keys: readonly string[] | undefined;
  readonly holes: readonly CompiledHole[];
  /** Whether a tuple's text, taken apart by `splitText`, matches. */
  matches(tuple: { readonly keys: readonly string[] | undefined; readonly parts: readonly string[] }): boolean;
}

const anyHole: CompiledHole = { actual: undefined, matches: () => true };

function malformed(): BusError {
  return new BusError("codec", "not the text of a template");
}

function compileRange(text: string): CompiledHole {
  const { parts } = splitText(text);
  const [low, high] = parts;
  const tag = low?.[0];
  if (parts.length !== 2 || tag === undefined || tag !== high?.[0] || !"nis".includes(tag)) throw malformed();
  const read = (field: string): number | bigint | string => {
    const body = field.slice(1);
    return tag === "n" ? Number(body) : tag === "i" ? BigInt(body) : body;
  };
  const from = read(low!);
  const to = read(high);
  return {
    actual: undefined,
    matches(field: string): boolean {
      if (field[0] !== tag) return false;
      const value = read(field);
      return value >= from && value <= to;
    },
  };
}

function compileHole(text: string, depth: number): CompiledHole {
  switch (text[0]) {
    case "?":
      return anyHole;
    case "k": {
      const tag = text[1];
      if (text.length !== 2 || tag === undefined || !"sntibao".includes(tag)) throw malformed();
      return { actual: undefined, matches: (field) => field[0] === tag || (tag === "t" && field[0] === "f") };
    }
    case "r":
      return compileRange(text);
    case "e": {
      const values = new Set(splitText(text).parts);
      return { actual: undefined, matches: (field) => values.has(field) };
    }
    case "p": {
      const start = `s${text.slice(1)}`;
      return { actual: undefined, matches: (field) => field.startsWith(start) };
    }
    case "A":
    case "O":
    case "P": {
      const inner = compileComposite(text, depth + 1);
      const tag = text[0] === "A" ? "a" : "o";
      return { actual: undefined, matches: (field) => field[0] === tag && inner.matches(splitText(field)) };
    }
    case undefined:
      throw malformed();
    default:
      return { actual: text, matches: (field) => field === text };
  }
}

function compileComposite(text: string, depth: number): CompiledTemplate {
  if (depth >= maxDepth) throw malformed();
  const tag = text[0]!;
  if (!"aoAOP".includes(tag)) throw malformed();
  const { keys, parts } = splitText(text, (t) => t !== "a" && t !== "A");
  const holes = parts.map((part) => compileHole(part, depth));
  if (tag === "P") return { kind: "partial", keys, holes, matches: (tuple) => matchesPartial(keys!, holes, tuple) };
  const kind = keys === undefined ? "positional" : "record";
  return {
    kind,
    keys,
    holes,
    matches(tuple): boolean {
      if (tuple.parts.length !== holes.length || (tuple.keys === undefined) !== (keys === undefined)) return false;
      if (keys !== undefined && !keys.every((key, i) => key === tuple.keys![i])) return false;
      return holes.every((hole, i) => hole.matches(tuple.parts[i]!));
    },
  };
}

function matchesPartial(
  keys: readonly string[],
  holes: readonly CompiledHole[],
  tuple: { readonly keys: readonly string[] | undefined; readonly parts: readonly string[] },
): boolean {
  if (tuple.keys === undefined) return false;
  // Both lists are in canonical order: one pass.
  let at = 0;
  for (const [index, key] of keys.entries()) {
    while (at < tuple.keys.length && tuple.keys[at] !== key) at++;
    if (at === tuple.keys.length || !holes[index]!.matches(tuple.parts[at]!)) return false;
  }
  return true;
}

/** Compiles a template's text. Throws "codec" for a text that is none. */
export function compileTemplate(text: string): CompiledTemplate {
  return compileComposite(text, 0);
}
