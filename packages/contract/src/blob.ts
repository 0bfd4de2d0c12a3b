export interface BlobStore {
  put(
    name: string,
    data: AsyncIterable<Uint8Array> | Uint8Array,
  ): Promise<{ readonly bytes: number; readonly sha256: string }>;
  /** undefined when absent. A damaged or replaced blob fails the iteration, never yields wrong bytes silently. */
  get(
    name: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<AsyncIterable<Uint8Array> | undefined>;
  delete(name: string): Promise<boolean>;
  list(prefix?: string): Promise<readonly { readonly name: string; readonly bytes: number }[]>;
  destroy(): Promise<void>;
}
