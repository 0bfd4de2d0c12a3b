import { createHash } from "node:crypto";
import {
  abortedError,
  type BlobDownload,
  BusError,
  blobChunkBytes,
  blobWindow,
  type Context,
} from "@quadrant/contract";
import { Interruption } from "./interruption.ts";

export interface BlobReaderOptions {
  readonly what: string;
  readonly signal: AbortSignal | undefined;
}

/** The bytes of one version, checked: what completes them is handed over only once their sum has proved right. */
export class BlobReader implements AsyncIterable<Uint8Array> {
  readonly #context: Context;
  readonly #download: BlobDownload;
  readonly #options: BlobReaderOptions;
  readonly #interruption = new Interruption();
  #iterated = false;

  constructor(context: Context, download: BlobDownload, options: BlobReaderOptions) {
    this.#context = context;
    this.#download = download;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    if (this.#iterated) throw new BusError("invalid", `${this.#options.what} is iterated once: get it again`);
    this.#iterated = true;
    return this.#chunks();
  }

  async *#chunks(): AsyncGenerator<Uint8Array, undefined> {
    const { signal, what } = this.#options;
    const onAbort = (): void => this.#interruption.interrupt(abortedError(signal!, what));
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      yield* this.#checked();
    } finally {
      this.#download.close();
      signal?.removeEventListener("abort", onAbort);
    }
    return undefined;
  }

  async *#checked(): AsyncGenerator<Uint8Array> {
    const { bytes, sha256 } = this.#download;
    const hash = createHash("sha256");
    const ahead: Promise<Uint8Array | undefined>[] = [];
    let held: Uint8Array | undefined;
    for (let got = 0; got < bytes; ) {
      // While the connection drains reading goes on.
      this.#context.assertOpen();
      this.#readAhead(ahead, bytes - got);
      const chunk = await this.#interruption.unless(ahead.shift()!);
      if (chunk === undefined) throw this.#damaged(`it ends after ${got} of ${bytes} bytes`);
      hash.update(chunk);
      got += chunk.length;
      if (got > bytes) throw this.#damaged(`it goes on after its ${bytes} bytes`);
      if (got < bytes) yield chunk;
      else held = chunk;
    }
    if (hash.digest("hex") !== sha256) throw this.#damaged("its bytes are not those that were put: another sum");
    if (held !== undefined) yield held;
  }

  /** Chunks may be smaller than usual, so that one more is always asked for. */
  #readAhead(ahead: Promise<Uint8Array | undefined>[], left: number): void {
    const wanted = Math.min(blobWindow, Math.ceil(left / blobChunkBytes));
    while (ahead.length < wanted) {
      const read = this.#download.read();
      // Of one that is left there may be some that nobody waits for.
      read.catch(() => undefined);
      ahead.push(read);
    }
  }

  #damaged(why: string): BusError {
    const { name: driver } = this.#context.driver;
    return new BusError("codec", `${this.#options.what} is damaged: ${why}; put it again`, { driver });
  }
}
