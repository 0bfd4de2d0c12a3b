import { type BlobUpload, BusError } from "@quadrant/contract";
import type { Requests } from "../requests.ts";
import type { Argument } from "../resp/command-writer.ts";
import type { Reply } from "../resp/reply-reader.ts";
import { abandonUpload, commitBlob, keepUpload, writeChunk } from "../scripts/blobs.ts";
import type { Script } from "../scripts/script.ts";

/** How long chunks stay whose client has not been heard of. */
const expiryMs = 60_000;

export interface UploadTerms {
  readonly requests: Requests;
  /** Of the store. */
  readonly key: string;
  readonly name: string;
  readonly what: string;
  readonly id: string;
}

/** A version on its way: a key of its own that expires, until the script that names it has it stay. */
export class RedisUpload implements BlobUpload {
  readonly #terms: UploadTerms;
  readonly #run: (script: Script, values: readonly Argument[]) => Promise<Reply>;
  readonly #keeping: NodeJS.Timeout;
  #bytes = 0;
  #chunks = 0;

  constructor(terms: UploadTerms, run: (script: Script, values: readonly Argument[]) => Promise<Reply>) {
    this.#terms = terms;
    this.#run = run;
    // A source may take its time between two chunks.
    this.#keeping = setInterval(() => this.#keep(), expiryMs / 4).unref();
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#bytes += chunk.length;
    await this.#run(writeChunk, [this.#terms.id, this.#chunks++, chunk, expiryMs]);
  }

  async commit(sha256: string): Promise<void> {
    const { id, name, what } = this.#terms;
    const reply = await this.#run(commitBlob, [id, name, this.#bytes, sha256, this.#chunks]);
    clearInterval(this.#keeping);
    if (reply !== -2) return;
    const message = `${what}: there was no connection for too long, a part of it has expired; put it again`;
    throw new BusError("unavailable", message, { driver: "redis" });
  }

  async abandon(): Promise<void> {
    clearInterval(this.#keeping);
    const { requests, key, id, name, what } = this.#terms;
    await requests.run(abandonUpload, key, [id, name], { what, writes: false }).catch(() => undefined);
  }

  #keep(): void {
    const { requests, key, id, what } = this.#terms;
    requests.run(keepUpload, key, [id, expiryMs], { what, writes: false }).catch(() => undefined);
  }
}
