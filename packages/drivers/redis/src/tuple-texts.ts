/**
 * The canonical texts of tuples and templates count UTF-16 code units; the server's scripts count bytes. Between them the
 * lengths are written anew, where a text has more than ASCII.
 */
import { splitText } from "@quadrant/contract";

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is meant
const ascii = /^[\u0000-\u007f]*$/;
/** Composites of tuples and templates. */
const composite = /^[aoAOPer]\d+:/;

function rewrite(text: string, write: (part: string) => string): string {
  const tag = text[0]!;
  const { keys, parts } = splitText(text, "oOP".includes(tag));
  let out = `${tag}${parts.length}:`;
  for (const [at, part] of parts.entries()) {
    if (keys !== undefined) out += `${Buffer.byteLength(keys[at]!)}:${keys[at]}`;
    const inner = write(part);
    out += `${Buffer.byteLength(inner)}:${inner}`;
  }
  return out;
}

/** A tuple's or template's text, as the scripts read it. */
export function toServer(text: string): string {
  if (ascii.test(text) || !composite.test(text)) return text;
  return rewrite(text, toServer);
}

/** Reads `<bytes>:` at `at`; returns the number and the index after the colon. */
function lengthAt(bytes: Buffer, at: number): readonly [length: number, next: number] {
  const colon = bytes.indexOf(0x3a, at);
  return [Number(bytes.toString("latin1", at, colon)), colon + 1];
}

function fieldFrom(bytes: Buffer): string {
  const tag = bytes[0];
  // Tuples hold no holes: only a and o are composites.
  if (tag !== 0x61 && tag !== 0x6f) return bytes.toString();
  const [count, first] = lengthAt(bytes, 1);
  let at = first;
  let out = `${String.fromCharCode(tag)}${count}:`;
  const take = (): Buffer => {
    const [length, from] = lengthAt(bytes, at);
    at = from + length;
    return bytes.subarray(from, at);
  };
  for (let i = 0; i < count; i++) {
    if (tag === 0x6f) {
      const key = take().toString();
      out += `${key.length}:${key}`;
    }
    const part = fieldFrom(take());
    out += `${part.length}:${part}`;
  }
  return out;
}

/** A tuple's canonical text, from what the scripts have. */
export function fromServer(bytes: Buffer): string {
  const text = bytes.toString();
  // As many code units as bytes: ASCII alone.
  return text.length === bytes.length ? text : fieldFrom(bytes);
}
