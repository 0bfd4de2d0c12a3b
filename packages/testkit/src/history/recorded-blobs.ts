import { createHash } from "node:crypto";
import type { BlobStore } from "@quadrant/contract";
import type { Recorder } from "./recorder.ts";

export class RecordedBlobs implements BlobStore {
  readonly #recorder: Recorder;
  readonly #name: string;
  readonly #inner: BlobStore;

  constructor(recorder: Recorder, name: string, inner: BlobStore) {
    this.#recorder = recorder;
    this.#name = name;
    this.#inner = inner;
  }

  put(name: string, data: Parameters<BlobStore["put"]>[1]): ReturnType<BlobStore["put"]> {
    return this.#recorder.run(
      "blobs.put",
      this.#name,
      { id: String(name) },
      () => this.#inner.put(name, data),
      ({ bytes, sha256 }) => ({ count: bytes, data: sha256 }),
    );
  }

  /** Returns, with the sum of what was read, when the reader comes to its end; or at once where the blob is absent. */
  get(name: string, options?: Parameters<BlobStore["get"]>[1]): ReturnType<BlobStore["get"]> {
    return this.#recorder.running(
      "blobs.get",
      this.#name,
      { id: String(name) },
      () => this.#inner.get(name, options),
      (content, n) => {
        if (content !== undefined) return this.#reading(n, content);
        this.#recorder.returned(n);
        return undefined;
      },
    );
  }

  #reading(n: number, content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return {
      [Symbol.asyncIterator]: () => {
        const inner = content[Symbol.asyncIterator]();
        const sum = createHash("sha256");
        return {
          next: async () => {
            try {
              const next = await inner.next();
              if (!next.done) sum.update(next.value);
              else this.#recorder.returned(n, { data: sum.copy().digest("hex") });
              return next;
            } catch (error) {
              this.#recorder.failed(n, "blobs.get", error);
              throw error;
            }
          },
          return: async () => (await inner.return?.()) ?? { value: undefined, done: true },
        };
      },
    };
  }

  delete(name: string): Promise<boolean> {
    return this.#recorder.run(
      "blobs.delete",
      this.#name,
      { id: String(name) },
      () => this.#inner.delete(name),
      (there) => ({ count: there ? 1 : 0 }),
    );
  }

  list(prefix?: string): ReturnType<BlobStore["list"]> {
    return this.#recorder.run(
      "blobs.list",
      this.#name,
      { id: prefix },
      () => this.#inner.list(prefix),
      (entries) => ({ ids: entries.map(({ name }) => name) }),
    );
  }

  destroy(): Promise<void> {
    return this.#recorder.run("blobs.destroy", this.#name, {}, () => this.#inner.destroy());
  }
}
