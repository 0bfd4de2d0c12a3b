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
import { roomFor } from "./room.ts";
import { any, type FormalShape, formalShape } from "./tuple.ts";
import { checkText, encodeBytes, encodeField, encodeParts, isRecord, recordKeys, sized } from "./tuple-text.ts";

const kindTags: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [String, "ks"],
  [Number, "kn"],
  [Boolean, "kt"],
  [BigInt, "ki"],
  [Uint8Array, "kb"],
  [Array, "ka"],
  [Object, "ko"],
]);

/** By the codes of what a part begins with. */
const holeCodes: readonly boolean[] = Array.from({ length: 128 }, (_, code) =>
  "?krepAOP".includes(String.fromCharCode(code)),
);

/** Whether a part of a template is other than the text that a field must equal. */
export function isHole(text: string): boolean {
  return holeCodes[text.charCodeAt(0)] === true;
}

function encodeShape(shape: FormalShape, depth: number): string {
  switch (shape.kind) {
    case "between": {
      const low = encodeField(shape.low);
      const high = encodeField(shape.high);
      return `r2:${low.length}:${low}${high.length}:${high}`;
    }
    case "oneOf":
      return `e${encodeParts(shape.values, depth, encodeField)}`;
    case "prefix":
      return `p${checkText(shape.text)}`;
    case "partial":
      return `P${encodeParts(shape.record, depth, encodeHole)}`;
  }
}

function encodeComposite(value: object, depth: number): string {
  let holes = false;
  const parts = encodeParts(value, depth, (part, inside) => {
    const text = encodeHole(part, inside);
    if (isHole(text)) holes = true;
    return text;
  });
  if (Array.isArray(value)) return (holes ? "A" : "a") + parts;
  return (holes ? "O" : "o") + parts;
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

/** A template taken apart one level: what its text is made of. */
export class TemplateParts {
  /** a A o O or P. */
  readonly tag: string;
  /** In canonical order; undefined for positional templates. */
  readonly keys: readonly string[] | undefined;
  /** The text of each field. */
  readonly parts: readonly string[];

  constructor(tag: string, keys: readonly string[] | undefined, parts: readonly string[]) {
    this.tag = tag;
    this.keys = keys;
    this.parts = parts;
  }

  /** Throws "invalid" for what is no template, "codec" for a field that no tuple carries. */
  static of(template: unknown): TemplateParts {
    if (typeof template !== "object" || template === null || template instanceof Uint8Array) {
      throw new BusError("invalid", "a template is an array, a record, or partial({…})");
    }
    const shape = formalShape(template);
    if (shape !== undefined && shape.kind !== "partial") {
      throw new BusError("invalid", `${shape.kind}(…) matches a field, not a tuple: put it into an array or record`);
    }
    if (shape !== undefined) return recordParts(shape.record, true);
    return Array.isArray(template) ? positionalParts(template) : recordParts(template, false);
  }

  get text(): string {
    const { tag, keys, parts } = this;
    let text = `${tag}${parts.length}:`;
    for (let i = 0; i < parts.length; i++) {
      if (keys !== undefined) text += sized(keys[i]!);
      text += sized(parts[i]!);
    }
    return text;
  }
}

function positionalParts(template: readonly unknown[]): TemplateParts {
  const { length } = template;
  const parts = roomFor<string>(length);
  let holes = false;
  for (let i = 0; i < length; i++) {
    const text = encodeHole(template[i], 1);
    if (isHole(text)) holes = true;
    parts[i] = text;
  }
  return new TemplateParts(holes ? "A" : "a", undefined, parts);
}

function recordParts(record: object, partial: boolean): TemplateParts {
  // What is neither a formal nor a record is refused as a field would be.
  if (!partial && !isRecord(record)) encodeField(record);
  const keys = recordKeys(record);
  const parts = keys.map((key) => encodeHole((record as Record<string, unknown>)[checkText(key)], 1));
  return new TemplateParts(partial ? "P" : parts.some(isHole) ? "O" : "o", keys, parts);
}

/** The text of a template. Throws "invalid" for what is none, "codec" for a field that no tuple carries. */
export function encodeTemplate(template: unknown): string {
  return TemplateParts.of(template).text;
}
