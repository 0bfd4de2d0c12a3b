import type { BlobDownload, BlobPage, Blobs, BlobUpload } from "@quadrant/contract";
import type { BlobTable } from "@quadrant/engine";
import type { Turns } from "./turns.ts";

/** One connection's use of the blob stores of its process: what it has not finished uploading ends with it. */
export class EngineBlobs implements Blobs {
  readonly #table: BlobTable;
  readonly #turns: Turns;
  readonly #uploads = new Set<BlobUpload>();
  #closed = false;

  constructor(table: BlobTable, turns: Turns) {
    this.#table = table;
    this.#turns = turns;
  }

  open(store: string): Promise<void> {
    return this.#table.open(store);
  }

  async upload(store: string, name: string): Promise<BlobUpload> {
    await this.#turns.take();
    const upload = await this.#table.upload(store, name);
    this.#uploads.add(upload);
    if (this.#closed) await this.close();
    return {
      write: async (chunk) => {
        await upload.write(chunk);
        await this.#turns.take();
      },
      commit: async (sha256) => {
        await upload.commit(sha256);
        this.#uploads.delete(upload);
      },
      abandon: async () => {
        this.#uploads.delete(upload);
        await upload.abandon();
      },
    };
  }

  async download(store: string, name: string): Promise<BlobDownload | undefined> {
    await this.#turns.take();
    const found = await this.#table.find(store, name);
    if (found === undefined) return undefined;
    const { bytes, sha256, version } = found;
    let [offset, reading] = [0, Promise.resolve<Uint8Array | undefined>(undefined)];
    const readNext = async (): Promise<Uint8Array | undefined> => {
      if (offset >= bytes) return undefined;
      await this.#turns.take();
      const chunk = await this.#table.read(store, name, version, offset);
      offset += chunk.length;
      return chunk;
    };
    return {
      bytes,
      sha256,
      read: () => {
        reading = reading.then(readNext);
        return reading;
      },
      close: () => undefined,
    };
  }

  async delete(store: string, name: string): Promise<boolean> {
    await this.#turns.take();
    return this.#table.delete(store, name);
  }

  async list(store: string, prefix: string, after: string | undefined): Promise<BlobPage> {
    await this.#turns.take();
    return this.#table.list(store, prefix, after);
  }

  destroy(store: string): Promise<void> {
    return this.#table.destroy(store);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#uploads].map((upload) => upload.abandon()));
    this.#uploads.clear();
  }
}
