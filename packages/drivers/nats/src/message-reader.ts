import { Incoming } from "./incoming.ts";

/** What the client reads the protocol with; here it reads all but messages. */
export interface ControlParser {
  parse(bytes: Uint8Array): void;
}

const space = 0x20;
const lineFeed = 0x0a;
const letterH = 0x48;
const letterM = 0x4d;
const zero = 0x30;
const nine = 0x39;
/** Of a line: the server's INFO names every server of its cluster. */
const maxLineBytes = 1_048_576;
/** The server's own bound on what a message may have. */
const maxMessageBytes = 67_108_864;
/** One more than any line has. */
const mostTokens = 6;
const incomplete = -1;

/**
 * Reads messages from what the server sends, a whole one at a time; everything else goes, a line at a time, to the client's
 * own parser, which looks at every byte in a state machine and makes several objects a message.
 */
export class MessageReader {
  readonly #deliver: (subscription: number, message: Incoming, bytes: number) => void;
  #control: ControlParser;
  /** What has come of a message or line that is not whole yet. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** With so many bytes it may be whole. */
  #wantedBytes = 0;
  // Of the line that is being read: where its tokens are.
  readonly #starts: number[] = [0, 0, 0, 0, 0, 0, 0];
  readonly #ends: number[] = [0, 0, 0, 0, 0, 0, 0];
  #tokens = 0;

  constructor(control: ControlParser, deliver: (subscription: number, message: Incoming, bytes: number) => void) {
    this.#control = control;
    this.#deliver = deliver;
  }

  get control(): ControlParser {
    return this.#control;
  }

  /** Of a new connection to a server: what is left of the one before never becomes whole. */
  restart(control: ControlParser): void {
    this.#control = control;
    this.#held = [];
    this.#heldBytes = 0;
  }

  parse(chunk: Uint8Array): void {
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    if (this.#heldBytes > 0) {
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
      if (this.#heldBytes < this.#wantedBytes) return;
      bytes = Buffer.concat(this.#held, this.#heldBytes);
      this.#held = [];
      this.#heldBytes = 0;
    }
    for (let at = 0; at < bytes.length; ) {
      const first = bytes[at];
      const end = first === letterM || first === letterH ? this.#message(bytes, at) : this.#line(bytes, at);
      if (end === incomplete) {
        this.#held.push(bytes.subarray(at));
        this.#heldBytes = bytes.length - at;
        return;
      }
      at = end;
    }
  }

  /** Where it ends. */
  #line(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(lineFeed, at);
    if (end === -1) return this.#want(bytes.length - at + 1, maxLineBytes);
    this.#control.parse(bytes.subarray(at, end + 1));
    return end + 1;
  }

  #want(bytes: number, limit: number): typeof incomplete {
    if (bytes > limit) throw new Error(`the server sends more than ${limit} bytes at once`);
    this.#wantedBytes = bytes;
    return incomplete;
  }

  /** `MSG subject sid [reply] size` or `HMSG subject sid [reply] headerSize size`; where it ends. */
  #message(bytes: Buffer, at: number): number {
    const hasHeaders = bytes[at] === letterH;
    const lineEnd = this.#split(bytes, at + (hasHeaders ? 5 : 4));
    if (lineEnd === incomplete) return this.#want(bytes.length - at + 1, maxLineBytes);
    const fewest = hasHeaders ? 4 : 3;
    const tokens = this.#tokens;
    const subscription = this.#number(bytes, 1);
    const size = this.#number(bytes, tokens - 1);
    const headerSize = hasHeaders ? this.#number(bytes, tokens - 2) : 0;
    if (tokens < fewest || tokens > fewest + 1 || !(headerSize <= size) || Number.isNaN(subscription))
      throw new Error(
        `the server sends what is no message: ${bytes.toString("latin1", at, Math.min(lineEnd, at + 200))}`,
      );
    const end = lineEnd + size;
    if (end + 2 > bytes.length) return this.#want(end + 2 - at, maxMessageBytes);
    const starts = this.#starts;
    const ends = this.#ends;
    const replyAt = starts[2]!;
    const replyEnd = tokens === fewest ? replyAt : ends[2]!;
    const bodyAt = lineEnd + headerSize;
    const message = new Incoming(bytes, starts[0]!, ends[0]!, replyAt, replyEnd, lineEnd, bodyAt, end);
    this.#deliver(subscription, message, size);
    return end + 2;
  }

  /** Finds the tokens of a line; where the next line begins. */
  #split(bytes: Buffer, from: number): number {
    const { length } = bytes;
    let tokens = 0;
    let start = from;
    for (let at = from; at < length; at++) {
      const byte = bytes[at]!;
      if (byte > space) continue;
      if (at > start) {
        this.#starts[tokens] = start;
        this.#ends[tokens] = at;
        tokens = Math.min(tokens + 1, mostTokens);
      }
      start = at + 1;
      if (byte !== lineFeed) continue;
      this.#tokens = tokens;
      return start;
    }
    return incomplete;
  }

  #number(bytes: Buffer, token: number): number {
    let number = 0;
    for (let at = this.#starts[token]!; at < this.#ends[token]!; at++) {
      const byte = bytes[at]!;
      if (byte < zero || byte > nine) return Number.NaN;
      number = number * 10 + byte - zero;
    }
    return number;
  }
}
