import type { EncodedHeaders } from "./wire-headers.ts";

const slabBytes = 65_536;
/** Of a line, beside its subjects: the verb, two numbers, spaces. */
const lineBytes = 32;
/** Of a character in UTF-8. */
const mostBytes = 3;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/**
 * Writes messages one behind the other, in the bytes that go to the socket: what is published in one turn of the event loop
 * leaves at its end, or when there is a slab full.
 */
export class MessageWriter {
  readonly #send: (bytes: Uint8Array) => void;
  #slab: Buffer = Buffer.allocUnsafeSlow(slabBytes);
  /** Where what has not been sent begins and ends. */
  #begin = 0;
  #end = 0;
  #scheduled = false;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  /** Bytes that have not been sent. */
  get size(): number {
    return this.#end - this.#begin;
  }

  /** "" for `reply`: none is wanted. The body is copied. */
  publish(subject: string, reply: string, headers: EncodedHeaders | undefined, body: Uint8Array): void {
    const headerBytes = headers === undefined ? 0 : headers.length;
    const bytes = headerBytes + body.length;
    this.#makeRoom((subject.length + reply.length) * mostBytes + lineBytes + bytes);
    const slab = this.#slab;
    const to = reply === "" ? subject : `${subject} ${reply}`;
    const line = headers === undefined ? `PUB ${to} ${bytes}\r\n` : `HPUB ${to} ${headerBytes} ${bytes}\r\n`;
    let at = this.#end + slab.write(line, this.#end);
    if (headers !== undefined) {
      slab.set(headers.encode(), at);
      at += headerBytes;
    }
    slab.set(body, at);
    at += body.length;
    slab[at] = carriageReturn;
    slab[at + 1] = lineFeed;
    this.#end = at + 2;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  #makeRoom(bytes: number): void {
    if (this.#end + bytes <= this.#slab.length) return;
    this.flush();
    this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes));
    this.#begin = 0;
    this.#end = 0;
  }

  /** Sends what there is now: what the client itself sends next comes behind it. */
  flush(): void {
    if (this.#begin === this.#end) return;
    const bytes = this.#slab.subarray(this.#begin, this.#end);
    this.#begin = this.#end;
    this.#send(bytes);
  }
}
