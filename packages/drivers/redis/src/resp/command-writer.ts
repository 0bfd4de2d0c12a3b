const firstBytes = 4_096;
/** A buffer that has grown beyond this is not kept for the next commands. */
const keptBytes = 262_144;

/** Up to so much is copied out, and the buffer stays. */
const smallBytes = 2_048;

/** What can stand in a command. */
export type Argument = string | number | Uint8Array;

/** Commands as they go to the server, one after the other, gathered in one buffer. */
export class CommandWriter {
  #buffer = Buffer.allocUnsafe(firstBytes);
  #at = 0;

  get size(): number {
    return this.#at;
  }

  /** Bytes that are encoded already. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /** Begins a command of so many arguments, its name included. */
  begin(count: number): this {
    this.#reserve(16);
    this.#head(0x2a, count);
    return this;
  }

  argument(value: Argument): this {
    if (typeof value === "string") return this.#text(value);
    if (typeof value === "number") return this.#text(String(value));
    this.#reserve(value.length + 16);
    this.#head(0x24, value.length);
    this.#buffer.set(value, this.#at);
    this.#at += value.length;
    this.#crlf();
    return this;
  }

  command(parts: readonly Argument[]): this {
    this.begin(parts.length);
    for (const part of parts) this.argument(part);
    return this;
  }

  /** What was written so far; the writer begins anew. */
  take(): Buffer {
    if (this.#at <= smallBytes) {
      // From the pool, which is quicker than a buffer of its own.
      const small = Buffer.allocUnsafe(this.#at);
      this.#buffer.copy(small, 0, 0, this.#at);
      this.#at = 0;
      return small;
    }
    const taken = this.#buffer.subarray(0, this.#at);
    const size = Math.min(Math.max(firstBytes, this.#at), keptBytes);
    this.#buffer = Buffer.allocUnsafe(size);
    this.#at = 0;
    return taken;
  }

  #text(text: string): this {
    // At most three bytes a code unit.
    this.#reserve(text.length * 3 + 16);
    const bytes = text.length < 64 ? Buffer.byteLength(text) : this.#buffer.write(text, this.#at + 16);
    if (text.length < 64) {
      this.#head(0x24, bytes);
      if (bytes === text.length) this.#buffer.write(text, this.#at, bytes, "latin1");
      else this.#buffer.write(text, this.#at, bytes);
    } else {
      // Written a little ahead, since its length comes first.
      const from = this.#at + 16;
      this.#head(0x24, bytes);
      this.#buffer.copyWithin(this.#at, from, from + bytes);
    }
    this.#at += bytes;
    this.#crlf();
    return this;
  }

  #head(kind: number, count: number): void {
    const buffer = this.#buffer;
    buffer[this.#at++] = kind;
    if (count < 10) buffer[this.#at++] = 48 + count;
    else this.#at += buffer.write(String(count), this.#at, "latin1");
    this.#crlf();
  }

  #crlf(): void {
    this.#buffer[this.#at++] = 13;
    this.#buffer[this.#at++] = 10;
  }

  /** Room for so many bytes and the ends of lines. */
  #reserve(bytes: number): void {
    const needed = this.#at + bytes + 32;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}
