import { BusError } from "@quadrant/contract";
import { knownTypes, otherType } from "./envelope.ts";
import { repeatedText } from "./repeated-text.ts";

/** Bytes that outlive the packet they came in: a view only where it is most of it, so that little is kept for nothing. */
export function kept(view: Buffer): Buffer {
  return view.length * 2 >= view.buffer.byteLength ? view : Buffer.from(view);
}

/** The number at `at`; throws "invalid" where it is not all before `end`. */
export function u32At(bytes: Buffer, at: number, end: number): number {
  if (at + 4 > end) throw cutOff();
  return bytes.readUInt32BE(at);
}

function cutOff(): BusError {
  return new BusError("invalid", "malformed request: it is cut off");
}

/** Reads the fields of a record's body one after the other; throws "invalid" where they are not all there. */
export class Reader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, at: number, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  /** Where the next field begins; throws unless there are `length` bytes. */
  #take(length: number): number {
    const at = this.#at;
    this.#at = at + length;
    if (this.#at > this.#end) throw cutOff();
    return at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  f64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  text(): string {
    const length = this.u16();
    const at = this.#take(length);
    return this.#bytes.toString("utf8", at, at + length);
  }

  /** A text that is likely to have been read before. */
  repeatedText(): string {
    const length = this.u16();
    const at = this.#take(length);
    return repeatedText(this.#bytes, at, at + length);
  }

  skipText(): void {
    this.#take(this.u16());
  }

  skipHeaders(): void {
    for (let left = this.u16() * 2; left > 0; left--) this.skipText();
  }

  /** UTF-8 to the end. */
  lastText(): string {
    return this.#bytes.toString("utf8", this.#take(0), this.#end);
  }

  /** A copy, unless it is most of the packet. */
  block(): Buffer {
    const length = this.u32();
    const at = this.#take(length);
    return kept(this.#bytes.subarray(at, at + length));
  }

  /** What is left, as a view. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#take(0), this.#end);
  }

  mediaType(): string {
    const type = this.u8();
    if (type !== otherType) {
      const known = knownTypes[type];
      if (known === undefined) throw new BusError("invalid", "malformed request: no media type");
      return known;
    }
    const length = this.u8();
    const at = this.#take(length);
    return this.#bytes.toString("utf8", at, at + length);
  }

  /** Names and values in turn. */
  headers(): readonly string[] {
    const count = this.u16();
    if (count === 0) return none;
    const flat: string[] = [];
    for (let left = count * 2; left > 0; left--) flat.push(this.text());
    return flat;
  }
}

const none: readonly string[] = [];
