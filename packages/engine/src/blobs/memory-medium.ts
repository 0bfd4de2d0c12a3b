import { randomUUID } from "node:crypto";
import { BusError, blobChunkBytes } from "@quadrant/contract";
import type { BlobContent, BlobDraft, BlobMedium, BlobShelf, RecoveredBlobs } from "./blob-medium.ts";

/** What all blobs of one memory may take together, unfinished ones included, unless told. */
export const memoryBlobBytes: number = 268_435_456;

/** A name and what is known of it, about. */
const entryBytes = 512;

/** Blobs in the memory of this process, in the chunks they came in. */
export class MemoryMedium implements BlobMedium {
  readonly #driver: string;
  readonly #limit: number;
  readonly #id = randomUUID();
  #held = 0;
  #versions = 0;

  constructor(driver: string, limit: number = memoryBlobBytes) {
    this.#driver = driver;
    this.#limit = limit;
  }

  async recover(): Promise<RecoveredBlobs> {
    return { shelves: [], destroyed: [] };
  }

  async forget(): Promise<void> {}

  async make(): Promise<BlobShelf> {
    return { draft: async (name) => new MemoryDraft(this, name), remove: async () => undefined };
  }

  describe(): Readonly<Record<string, number>> {
    return { blobBytes: this.#held, blobBytesLimit: this.#limit };
  }

  nextVersion(): string {
    return `${this.#id}-${++this.#versions}`;
  }

  /** Takes room for a part of a draft that has `drafted` bytes already. */
  take(bytes: number, drafted: number): void {
    if (drafted + bytes > this.#limit) {
      const message = `a blob larger than the ${this.#limit} bytes that all blobs may take in memory: keep it in a folder or at a broker`;
      throw new BusError("too-large", message, { driver: this.#driver });
    }
    if (this.#held + bytes > this.#limit) {
      const message = `the blobs in memory would take more than ${this.#limit} bytes: delete some, or keep them in a folder`;
      throw new BusError("overflow", message, { driver: this.#driver });
    }
    this.#held += bytes;
  }

  overError(name: string): BusError {
    return new BusError("closed", `putting blob ${JSON.stringify(name)} is over`, { driver: this.#driver });
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

class MemoryDraft implements BlobDraft {
  readonly #medium: MemoryMedium;
  readonly #name: string;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** What it holds has been given back, or is the content's. */
  #over = false;

  constructor(medium: MemoryMedium, name: string) {
    this.#medium = medium;
    this.#name = name;
    medium.take(entryBytes, 0);
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#over) throw this.#medium.overError(this.#name);
    this.#medium.take(chunk.length, this.#bytes);
    this.#bytes += chunk.length;
    // A part of something larger would keep all of that.
    this.#chunks.push(chunk.length < chunk.buffer.byteLength ? chunk.slice() : chunk);
  }

  async keep(sha256: string): Promise<BlobContent> {
    const [medium, bytes] = [this.#medium, this.#bytes];
    if (this.#over) throw medium.overError(this.#name);
    let chunks: readonly Uint8Array[] | undefined = this.#chunks;
    this.#over = true;
    return {
      name: this.#name,
      bytes,
      sha256,
      version: medium.nextVersion(),
      read: async (offset, length) => {
        const from = offset % blobChunkBytes;
        // A copy: whoever gets it may do with it what he likes.
        return chunks![Math.floor(offset / blobChunkBytes)]!.slice(from, from + length);
      },
      remove: async () => {
        if (chunks !== undefined) medium.give(bytes + entryBytes);
        chunks = undefined;
      },
    };
  }

  async discard(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#medium.give(this.#bytes + entryBytes);
    this.#chunks = [];
  }
}
