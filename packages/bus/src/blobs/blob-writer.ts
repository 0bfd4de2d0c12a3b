import { createHash } from "node:crypto";
import { type BlobUpload, BusError, blobChunkBytes, blobWindow, type Context, isBusError } from "@quadrant/contract";
import { Interruption } from "./interruption.ts";

export type BlobSource = AsyncIterable<Uint8Array> | Uint8Array;

/** Throws "invalid" for what is neither bytes nor an async iterable. */
export function checkSource(source: unknown): asserts source is BlobSource {
  if (source instanceof Uint8Array) return;
  if (typeof source === "object" && source !== null && Symbol.asyncIterator in source) return;
  throw new BusError("invalid", "a blob is put from a Uint8Array or an async iterable of them, such as a ReadStream");
}

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What the source threw, or gave instead of bytes. */
function sourceError(what: string, cause: unknown): BusError {
  if (cause instanceof BusError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BusError("invalid", `${what}: its source failed, nothing was put: ${why}`, { cause });
}

/** A broker that has not answered is not waited for once more. */
function unanswered(error: unknown): boolean {
  return isBusError(error, "unavailable") || isBusError(error, "indefinite") || isBusError(error, "timeout");
}

/** Cuts a source into chunks and uploads them, `blobWindow` at a time. */
export class BlobWriter {
  readonly #context: Context;
  readonly #upload: BlobUpload;
  readonly #what: string;
  readonly #interruption = new Interruption();
  readonly #hash = createHash("sha256");
  readonly #underWay: Promise<void>[] = [];
  #bytes = 0;
  #chunk: Uint8Array = new Uint8Array(0);
  #filled = 0;

  constructor(context: Context, upload: BlobUpload, what: string) {
    this.#context = context;
    this.#upload = upload;
    this.#what = what;
  }

  /** Resolves once committed; where it rejects, nothing was changed, or the code is "indefinite". */
  async write(source: BlobSource): Promise<{ bytes: number; sha256: string }> {
    const ended = Promise.withResolvers<void>();
    const untrack = this.#context.track({
      drain: () => ended.promise,
      abandon: () => this.#interruption.interrupt(this.#closedError()),
    });
    try {
      await this.#uploadAll(source);
      const sha256 = this.#hash.digest("hex");
      await this.#upload.commit(sha256);
      return { bytes: this.#bytes, sha256 };
    } catch (error) {
      const abandoned = this.#upload.abandon();
      if (!unanswered(error)) await abandoned;
      throw error;
    } finally {
      ended.resolve();
      untrack();
    }
  }

  async #uploadAll(source: BlobSource): Promise<void> {
    const pieces = source instanceof Uint8Array ? inOnePiece(source) : source;
    const iterator = pieces[Symbol.asyncIterator]();
    try {
      for (;;) {
        const piece = await this.#next(iterator);
        if (piece === undefined) break;
        this.#hash.update(piece);
        this.#bytes += piece.length;
        await this.#cut(piece);
      }
    } catch (error) {
      // The source is told, not waited for: it may be what hangs.
      void Promise.resolve(iterator.return?.()).catch(() => undefined);
      throw error;
    }
    if (this.#filled > 0) await this.#send(this.#chunk.subarray(0, this.#filled));
    while (this.#underWay.length > 0) await this.#room();
  }

  async #next(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
    const pulled = (async () => iterator.next())().catch((cause) => Promise.reject(sourceError(this.#what, cause)));
    const { value, done } = await this.#interruption.unless(pulled);
    if (done === true) return undefined;
    if (value instanceof Uint8Array) return value;
    throw new BusError("invalid", `${this.#what}: its source gave a ${typeof value} where a Uint8Array belongs`);
  }

  /** Copies: a source may use its buffer again. */
  async #cut(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length; ) {
      if (this.#filled === 0)
        this.#chunk = new Uint8Array(Math.min(blobChunkBytes, Math.max(piece.length - at, 16_384)));
      if (this.#filled === this.#chunk.length) this.#grow();
      const part = piece.subarray(at, at + this.#chunk.length - this.#filled);
      this.#chunk.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === blobChunkBytes) await this.#send(this.#chunk);
    }
  }

  #grow(): void {
    const larger = new Uint8Array(blobChunkBytes);
    larger.set(this.#chunk);
    this.#chunk = larger;
  }

  async #send(chunk: Uint8Array): Promise<void> {
    this.#filled = 0;
    if (this.#underWay.length === blobWindow) await this.#room();
    const written = this.#upload.write(chunk).catch((error) => Promise.reject(this.#unwritten(error)));
    // Also where the source is what is being waited for.
    written.catch((error: BusError) => this.#interruption.interrupt(error));
    this.#underWay.push(written);
  }

  async #room(): Promise<void> {
    await this.#interruption.unless(this.#underWay.shift()!);
  }

  /** A chunk of unknown fate is no blob: as long as nothing was committed nothing has changed. */
  #unwritten(error: unknown): BusError {
    if (isBusError(error) && error.code !== "indefinite") return error;
    const { name: driver } = this.#context.driver;
    const why = error instanceof Error ? error.message : String(error);
    return new BusError("unavailable", `${this.#what}: a part of it was not acknowledged, nothing was put: ${why}`, {
      cause: error,
      driver,
    });
  }

  #closedError(): BusError {
    return new BusError("closed", `the bus closed while ${this.#what} was being put; connect again`);
  }
}
