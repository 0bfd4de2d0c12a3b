import { maxDepth } from "./codec.ts";
import { BusError } from "./errors.ts";
import { isHole, TemplateParts } from "./template-text.ts";
import { behind, lengthAt } from "./text-fields.ts";
import { numberIn, splitText } from "./tuple-text.ts";

// Tags of fields, and of what stands in a template in their place.
const arrayTag = 0x61;
const recordTag = 0x6f;
const yes = 0x74;
const no = 0x66;
const anything = 0x3f;
const kind = 0x6b;
const range = 0x72;
const oneOf = 0x65;
const prefix = 0x70;
const arrayHole = 0x41;
const recordHole = 0x4f;
const partialHole = 0x50;

const kindTags = "sntibao";

/** Whether the field that stands at a place in a tuple's text is one that a formal matches. */
interface FieldTest {
  matches(text: string, start: number, end: number): boolean;
}

function malformed(): BusError {
  return new BusError("codec", "not the text of a template");
}

function rangeTest(text: string): FieldTest {
  const { parts } = splitText(text);
  const [low, high] = parts;
  const tag = low?.[0];
  if (parts.length !== 2 || tag === undefined || tag !== high?.[0] || !"nis".includes(tag)) throw malformed();
  const code = tag.charCodeAt(0);
  const read = (field: string, start: number, end: number): number | bigint | string => {
    if (tag === "n") return numberIn(field, start, end);
    const body = field.slice(start + 1, end);
    return tag === "i" ? BigInt(body) : body;
  };
  const from = read(low!, 0, low!.length);
  const to = read(high, 0, high.length);
  return {
    matches(field, start, end): boolean {
      if (field.charCodeAt(start) !== code) return false;
      const value = read(field, start, end);
      return value >= from && value <= to;
    },
  };
}

/** What a formal matches that is more than a kind. */
function testOf(text: string, depth: number): FieldTest {
  switch (text.charCodeAt(0)) {
    case range:
      return rangeTest(text);
    case oneOf: {
      const values = new Set(splitText(text).parts);
      return { matches: (field, start, end) => values.has(field.slice(start, end)) };
    }
    case prefix: {
      const begin = `s${text.slice(1)}`;
      return { matches: (field, start, end) => end - start >= begin.length && field.startsWith(begin, start) };
    }
    default: {
      const inner = new CompiledTemplate(takenApart(text), depth + 1);
      return { matches: (field, start, end) => inner.matches(field, start, end) };
    }
  }
}

/** So many fields can be told by the bits of a mask. */
export const maxMaskFields = 30;

/** A template ready to match tuples by their texts. */
export class CompiledTemplate {
  readonly kind: "positional" | "record" | "partial";
  /** In canonical order; undefined for positional templates. */
  readonly keys: readonly string[] | undefined;
  /** Of each field: the text that it must equal, or that of a formal. */
  readonly parts: readonly string[];
  /** The fields that have a value, as bits; of the first `maxMaskFields`. */
  readonly mask: number;
  /** Of the fields that need more than a look at their tag; undefined where there are none. */
  #tests: (FieldTest | undefined)[] | undefined = undefined;

  constructor({ tag, keys, parts }: TemplateParts, depth: number) {
    if (depth >= maxDepth) throw malformed();
    this.kind = keys === undefined ? "positional" : tag === "P" ? "partial" : "record";
    this.keys = keys;
    this.parts = parts;
    let mask = 0;
    for (let field = 0; field < parts.length; field++) {
      if (this.#isActual(field, parts[field]!, depth) && field < maxMaskFields) mask |= 1 << field;
    }
    this.mask = mask;
  }

  /** Makes its test where it has one. Throws "codec" for a part that is neither a field nor a formal. */
  #isActual(field: number, part: string, depth: number): boolean {
    if (part === "") throw malformed();
    if (!isHole(part)) return true;
    const tag = part.charCodeAt(0);
    if (tag === kind) {
      if (part.length !== 2 || !kindTags.includes(part[1]!)) throw malformed();
    } else if (tag !== anything) {
      this.#tests ??= [];
      this.#tests[field] = testOf(part, depth);
    }
    return false;
  }

  /** The text that a field must equal; undefined where the template has a formal. */
  actual(field: number): string | undefined {
    const part = this.parts[field]!;
    return isHole(part) ? undefined : part;
  }

  /** Whether a tuple matches, given its text or the place in one where it stands. Throws "codec" for a text that does not come apart. */
  matches(text: string, start: number = 0, end: number = text.length): boolean {
    if (text.charCodeAt(start) !== (this.keys === undefined ? arrayTag : recordTag)) return false;
    const { keys, parts } = this;
    const count = lengthAt(text, start + 1);
    const wanted = parts.length;
    if (this.kind === "partial" ? count < wanted : count !== wanted) return false;
    let at = behind(start + 1, count);
    let hole = 0;
    for (let left = count; left > 0 && hole < wanted; left--) {
      let named = true;
      if (keys !== undefined) {
        const key = keys[hole]!;
        const length = lengthAt(text, at);
        const from = behind(at, length);
        at = from + length;
        named = length === key.length && text.startsWith(key, from);
        if (!named && this.kind === "record") return false;
      }
      const length = lengthAt(text, at);
      const from = behind(at, length);
      at = from + length;
      if (at > end) return false;
      // Both lists of keys are in canonical order: one pass.
      if (!named) continue;
      if (!this.#matchesField(hole, text, from, at)) return false;
      hole++;
    }
    return hole === wanted;
  }

  #matchesField(hole: number, text: string, start: number, end: number): boolean {
    const part = this.parts[hole]!;
    switch (part.charCodeAt(0)) {
      case anything:
        return true;
      case kind: {
        const tag = text.charCodeAt(start);
        // true and false are fields of one kind.
        return tag === part.charCodeAt(1) || (tag === no && part.charCodeAt(1) === yes);
      }
      case range:
      case oneOf:
      case prefix:
      case arrayHole:
      case recordHole:
      case partialHole:
        return this.#tests![hole]!.matches(text, start, end);
      default:
        return end - start === part.length && text.startsWith(part, start);
    }
  }
}

/** The parts of a template's text. Throws "codec" for a text that is none. */
function takenApart(text: string): TemplateParts {
  const tag = text[0] ?? "";
  if (tag === "" || !"aAoOP".includes(tag)) throw malformed();
  const { keys, parts } = splitText(text, tag !== "a" && tag !== "A");
  return new TemplateParts(tag, keys, parts);
}

/** Compiles a template's text. Throws "codec" for a text that is none. */
export function compileTemplate(text: string): CompiledTemplate {
  return compileParts(takenApart(text));
}

/** Compiles a template that was taken apart. */
export function compileParts(parts: TemplateParts): CompiledTemplate {
  return new CompiledTemplate(parts, 0);
}
