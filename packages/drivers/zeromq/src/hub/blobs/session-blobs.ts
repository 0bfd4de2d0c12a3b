import { type BlobUpload, BusError, blobChunkBytes, blobWindow } from "@quadrant/contract";
import type { BlobTable } from "@quadrant/engine";
import { blobBytes, maxUploads } from "../limits.ts";

interface Upload {
  /** Of the store it is for; the permission for it is that of the session. */
  readonly store: string;
  readonly begun: Promise<BlobUpload>;
  /** Chunks that have not been answered. */
  waiting: number;
}

/** What one client uploads and reads: bounded, and gone with its session. */
export class SessionBlobs {
  readonly table: BlobTable;
  readonly #uploads = new Map<number, Upload>();
  /** Of chunks that are being written, or read, for it. */
  #bytes = 0;

  constructor(table: BlobTable) {
    this.table = table;
  }

  get size(): number {
    return this.#uploads.size;
  }

  /** `id` is the client's: one that it asks for again, because the answer was lost, is the same. */
  async begin(store: string, name: string, id: number): Promise<void> {
    if (!this.#uploads.has(id)) {
      if (this.#uploads.size >= maxUploads) throw overflow(`${maxUploads} blobs of this client are being put already`);
      this.#uploads.set(id, { store, begun: this.table.upload(store, name), waiting: 0 });
    }
    try {
      await this.#find(store, id).begun;
    } catch (error) {
      this.#uploads.delete(id);
      throw error;
    }
  }

  /** Its answer is the client's credit for another. */
  async write(store: string, id: number, chunk: Uint8Array): Promise<void> {
    const upload = this.#find(store, id);
    if (upload.waiting >= blobWindow) {
      await this.abandon(id);
      throw overflow(`more than ${blobWindow} unanswered chunks of one blob`);
    }
    upload.waiting++;
    try {
      await this.#within(chunk.length, async () => (await upload.begun).write(chunk));
    } finally {
      upload.waiting--;
    }
  }

  async commit(store: string, id: number, sha256: string): Promise<void> {
    const upload = this.#find(store, id);
    await (await upload.begun).commit(sha256);
    this.#uploads.delete(id);
  }

  async abandon(id: number): Promise<void> {
    const upload = this.#uploads.get(id);
    this.#uploads.delete(id);
    const begun = await upload?.begun.catch(() => undefined);
    await begun?.abandon();
  }

  read(store: string, name: string, version: string, offset: number): Promise<Uint8Array> {
    return this.#within(blobChunkBytes, () => this.table.read(store, name, version, offset));
  }

  /** The client is gone for good. */
  end(): void {
    for (const id of [...this.#uploads.keys()]) void this.abandon(id);
  }

  async #within<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.#bytes + bytes > blobBytes) {
      throw overflow(`${blobBytes} bytes of blobs are on their way for this client already: let it use fewer at once`);
    }
    this.#bytes += bytes;
    try {
      return await work();
    } finally {
      this.#bytes -= bytes;
    }
  }

  #find(store: string, id: number): Upload {
    const upload = this.#uploads.get(id);
    if (upload?.store === store) return upload;
    throw new BusError("unavailable", "the hub knows nothing of this upload: it was lost with a session; put it again");
  }
}

function overflow(message: string): BusError {
  return new BusError("overflow", message);
}
