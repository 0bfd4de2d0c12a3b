/** A message as the server sent it: what of it nobody looks at is not decoded. */
export class Incoming {
  readonly #bytes: Buffer;
  readonly #subjectAt: number;
  readonly #subjectEnd: number;
  readonly #replyAt: number;
  readonly #replyEnd: number;
  readonly #headersAt: number;
  readonly #bodyAt: number;
  readonly #bodyEnd: number;
  #subject: string | undefined;
  #reply: string | undefined;
  #body: Buffer | undefined;

  /** Where its parts are in what was read; a part that is not there ends where it begins. */
  constructor(
    bytes: Buffer,
    subjectAt: number,
    subjectEnd: number,
    replyAt: number,
    replyEnd: number,
    headersAt: number,
    bodyAt: number,
    bodyEnd: number,
  ) {
    this.#bytes = bytes;
    this.#subjectAt = subjectAt;
    this.#subjectEnd = subjectEnd;
    this.#replyAt = replyAt;
    this.#replyEnd = replyEnd;
    this.#headersAt = headersAt;
    this.#bodyAt = bodyAt;
    this.#bodyEnd = bodyEnd;
  }

  get subject(): string {
    this.#subject ??= this.#bytes.toString("utf8", this.#subjectAt, this.#subjectEnd);
    return this.#subject;
  }

  /** "" where none is wanted. */
  get reply(): string {
    this.#reply ??= this.#bytes.toString("latin1", this.#replyAt, this.#replyEnd);
    return this.#reply;
  }

  /** The block of headers as it came; undefined where there is none. */
  get headers(): Buffer | undefined {
    return this.#bodyAt === this.#headersAt ? undefined : this.#bytes.subarray(this.#headersAt, this.#bodyAt);
  }

  get data(): Buffer {
    this.#body ??= this.#bytes.subarray(this.#bodyAt, this.#bodyEnd);
    return this.#body;
  }

  /** The last token of its subject, a decimal number; NaN where it is none. */
  get lastToken(): number {
    let number = 0;
    let scale = 1;
    for (let at = this.#subjectEnd - 1; at >= this.#subjectAt; at--) {
      const byte = this.#bytes[at]!;
      if (byte === dot) return scale === 1 ? Number.NaN : number;
      if (byte < zero || byte > nine) return Number.NaN;
      number += (byte - zero) * scale;
      scale *= 10;
    }
    return Number.NaN;
  }
}

const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
