import { BusError } from "./errors.ts";

const colon = 0x3a;
const zero = 0x30;
const arrayTag = 0x61;
const recordTag = 0x6f;

export function malformed(): BusError {
  return new BusError("codec", "not the text of a tuple");
}

/** Reads `<length>:` at `at`: at most the text's length, without leading zeros. Throws "codec" where there is none. */
export function lengthAt(text: string, at: number): number {
  let value = text.charCodeAt(at) - zero;
  if (!(value >= 0 && value <= 9)) throw malformed();
  for (let place = at + 1; ; place++) {
    const digit = text.charCodeAt(place) - zero;
    if (digit === colon - zero) return value;
    if (!(digit >= 0 && digit <= 9) || value === 0) throw malformed();
    value = value * 10 + digit;
    if (value > text.length) throw malformed();
  }
}

/** Where the text goes on behind a length that stands at `at`. */
export function behind(at: number, length: number): number {
  if (length < 10) return at + 2;
  if (length < 100) return at + 3;
  return at + 1 + String(length).length;
}

/**
 * Where the fields of a composite's text are (tuple-text.ts), one level deep: places instead of copies. Filled anew for
 * each text; who calls others in between reads again.
 */
export class TextFields {
  /** The text that was read last; "" where it did not come apart. */
  text = "";
  count = 0;
  /** Whether names stand before the fields. */
  keyed = false;
  /** Field i is `text.slice(starts[i], ends[i])`; its key, where there are keys, accordingly. */
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly keyStarts: number[] = [];
  readonly keyEnds: number[] = [];

  /** `keyed`: whether the text's tag says so. Throws "codec" where the text does not come apart. */
  read(text: string, keyed: boolean): void {
    this.text = "";
    this.keyed = keyed;
    const count = lengthAt(text, 1);
    this.count = count;
    let at = behind(1, count);
    for (let field = 0; field < count; field++) {
      if (keyed) {
        const length = lengthAt(text, at);
        const start = behind(at, length);
        this.keyStarts[field] = start;
        at = this.keyEnds[field] = start + length;
      }
      const length = lengthAt(text, at);
      const start = behind(at, length);
      this.starts[field] = start;
      at = this.ends[field] = start + length;
    }
    if (at !== text.length) throw malformed();
    this.text = text;
  }

  /** The same for a tuple. Throws "codec" for what is none. */
  readTuple(text: string): void {
    const tag = text.charCodeAt(0);
    if (tag !== arrayTag && tag !== recordTag) throw malformed();
    this.read(text, tag === recordTag);
  }

  field(index: number): string {
    return this.text.slice(this.starts[index], this.ends[index]);
  }

  key(index: number): string {
    return this.text.slice(this.keyStarts[index], this.keyEnds[index]);
  }
}
