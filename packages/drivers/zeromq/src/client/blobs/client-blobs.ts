import { type BlobDownload, type BlobPage, type Blobs, type BlobUpload, blobChunkBytes } from "@quadrant/contract";
import { Operation } from "../../wire/operation.ts";
import type { Requests } from "../requests.ts";
import type { Restorer } from "../restorer.ts";

/** Blob stores over the hub. A chunk is a request; its answer is the credit for another. */
export class ClientBlobs implements Blobs {
  readonly #requests: Requests;
  readonly #restorer: Restorer;
  #uploads = 0;

  constructor(requests: Requests, restorer: Restorer) {
    this.#requests = requests;
    this.#restorer = restorer;
  }

  async open(store: string): Promise<void> {
    await this.#requests.request(Operation.blobsOpen, `open blob store ${store}`, "writes", [store]);
    this.#restorer.opened(`blobs ${store}`, Operation.blobsOpen, [store]);
  }

  async upload(store: string, name: string): Promise<BlobUpload> {
    this.#uploads = (this.#uploads % 0xffff_ffff) + 1;
    const upload = this.#uploads;
    const what = `put blob ${JSON.stringify(name)}`;
    const abandon = async (): Promise<void> => {
      const abandoned = this.#requests.request(Operation.blobAbandon, what, "ends", [store, upload]);
      await abandoned.catch(() => undefined);
    };
    try {
      await this.#requests.request(Operation.blobUpload, what, "reads", [store, name, upload]);
    } catch (error) {
      // The hub may have begun it all the same.
      void abandon();
      throw error;
    }
    return {
      write: async (chunk) => {
        await this.#requests.request(Operation.blobWrite, what, "writes", [store, upload, chunk]);
      },
      commit: async (sha256) => {
        await this.#requests.request(Operation.blobCommit, what, "writes", [store, upload, sha256]);
      },
      abandon,
    };
  }

  async download(store: string, name: string): Promise<BlobDownload | undefined> {
    const what = `read blob ${JSON.stringify(name)}`;
    const found = await this.#requests.request(Operation.blobFind, what, "reads", [store, name]);
    if (found.raw(0) === undefined) return undefined;
    const [bytes, version] = [found.number(0), found.string(2)];
    let offset = 0;
    return {
      bytes,
      sha256: found.string(1),
      read: async () => {
        if (offset >= bytes) return undefined;
        const values = [store, name, version, offset];
        offset += blobChunkBytes;
        return (await this.#requests.request(Operation.blobRead, what, "reads", values)).bytes(0);
      },
      close: () => undefined,
    };
  }

  async delete(store: string, name: string): Promise<boolean> {
    const what = `delete blob ${JSON.stringify(name)}`;
    return (await this.#requests.request(Operation.blobDelete, what, "writes", [store, name])).boolean(0);
  }

  async list(store: string, prefix: string, after: string | undefined): Promise<BlobPage> {
    const values = [store, prefix, after ?? null];
    const page = await this.#requests.request(Operation.blobList, `list blobs of ${store}`, "reads", values);
    const blobs = page.list(0).map((entry) => ({ name: entry.string(0), bytes: entry.number(1) }));
    return { blobs, next: page.optionalString(1) };
  }

  async destroy(store: string): Promise<void> {
    await this.#requests.request(Operation.blobsDestroy, `destroy blob store ${store}`, "writes", [store]);
    this.#restorer.destroyed(`blobs ${store}`);
  }
}
