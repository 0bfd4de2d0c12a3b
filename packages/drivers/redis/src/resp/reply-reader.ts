/** An error that a server answered with. */
export class ReplyError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }

  /** Its first word, such as NOAUTH or MOVED. */
  get code(): string {
    const end = this.message.indexOf(" ");
    return end === -1 ? this.message : this.message.slice(0, end);
  }
}

export type Reply = string | number | null | Buffer | ReplyError | Reply[];

interface Open {
  readonly items: Reply[];
  left: number;
}

const empty = Buffer.alloc(0);
/** Small texts are copied out of what a socket gave at once: who keeps one would keep all of it. */
const copiedBytes = 2_048;

/** Takes replies apart as they come, in pieces of any size (RESP 2). */
export class ReplyReader {
  readonly #reply: (reply: Reply) => void;
  #buffer: Buffer = empty;
  #at = 0;
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  /** So many bytes are needed before it is worth looking again. */
  #needed = 0;
  readonly #open: Open[] = [];

  constructor(reply: (reply: Reply) => void) {
    this.#reply = reply;
  }

  /** Throws where it is no reply. */
  feed(chunk: Buffer): void {
    if (this.#chunkBytes + chunk.length < this.#needed) {
      this.#chunks.push(chunk);
      this.#chunkBytes += chunk.length;
      return;
    }
    this.#buffer = this.#chunkBytes === 0 ? chunk : Buffer.concat([...this.#chunks, chunk]);
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#needed = 0;
    this.#at = 0;
    while (this.#next());
    const rest = this.#buffer.subarray(this.#at);
    this.#buffer = empty;
    if (rest.length === 0) return;
    this.#chunks.push(rest);
    this.#chunkBytes = rest.length;
  }

  /** Reads one element; false where it is not there as a whole. */
  #next(): boolean {
    const end = this.#buffer.indexOf(13, this.#at);
    if (end === -1 || end + 1 >= this.#buffer.length) return false;
    const kind = this.#buffer[this.#at];
    const line = this.#at + 1;
    if (kind === 0x24) return this.#bulk(this.#number(line, end), end + 2);
    this.#at = end + 2;
    if (kind === 0x3a) this.#value(this.#number(line, end));
    else if (kind === 0x2b) this.#value(this.#buffer.toString("latin1", line, end));
    else if (kind === 0x2d) this.#value(new ReplyError(this.#buffer.toString("utf8", line, end)));
    else if (kind === 0x2a) this.#array(this.#number(line, end));
    else throw new Error(`a reply that begins with byte ${kind}`);
    return true;
  }

  #bulk(length: number, from: number): boolean {
    if (length === -1) {
      this.#at = from;
      this.#value(null);
      return true;
    }
    const to = from + length;
    if (to + 2 > this.#buffer.length) {
      this.#needed = to + 2 - this.#at;
      return false;
    }
    this.#at = to + 2;
    const text = this.#buffer.subarray(from, to);
    this.#value(length <= copiedBytes && length * 4 < this.#buffer.length ? Buffer.from(text) : text);
    return true;
  }

  #array(length: number): void {
    if (length === -1) this.#value(null);
    else if (length === 0) this.#value([]);
    else this.#open.push({ items: [], left: length });
  }

  #value(value: Reply): void {
    let done = value;
    for (let open = this.#open.at(-1); open !== undefined; open = this.#open.at(-1)) {
      open.items.push(done);
      if (--open.left > 0) return;
      this.#open.pop();
      done = open.items;
    }
    this.#reply(done);
  }

  #number(from: number, to: number): number {
    const negative = this.#buffer[from] === 0x2d;
    let value = 0;
    for (let at = negative ? from + 1 : from; at < to; at++) value = value * 10 + this.#buffer[at]! - 48;
    return negative ? -value : value;
  }
}

/** A reply's text. */
export function textOf(reply: Reply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return typeof reply === "string" || typeof reply === "number" ? String(reply) : "";
}

/** A reply's number; 0 where it has none. */
export function numberOf(reply: Reply | undefined): number {
  return typeof reply === "number" ? reply : Number(textOf(reply));
}

export function listOf(reply: Reply | undefined): Reply[] {
  return Array.isArray(reply) ? reply : [];
}

export function bytesOf(reply: Reply | undefined): Buffer {
  return Buffer.isBuffer(reply) ? reply : Buffer.from(textOf(reply));
}
