import { BusError } from "./errors.ts";
import { maxNameBytes } from "./subject.ts";

/** A blob travels in chunks of so many bytes, which is also the chunk size of NATS object stores. */
export const blobChunkBytes: number = 131_072;

/** So many chunks of one blob are under way at once: what is in memory of it, at either end. */
export const blobWindow: number = 8;

const unfit = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/**
 * Throws "invalid" unless `name` may name a blob: 1 to 255 bytes of UTF-8 without control characters, line or paragraph
 * separators, and lone surrogates. All else is literal, `/`, `.`, `*` and spaces too.
 */
export function checkBlobName(name: unknown): asserts name is string {
  if (typeof name !== "string" || name === "") refuse(name, "blob name", "give a string that is not empty");
  checkBlobText(name, "blob name");
}

/** The same for what names are to begin with; it may be empty. */
export function checkBlobPrefix(prefix: unknown): asserts prefix is string {
  if (typeof prefix !== "string") refuse(prefix, "prefix of blob names", "give a string");
  checkBlobText(prefix, "prefix of blob names");
}

function checkBlobText(text: string, what: string): void {
  if (text.length > maxNameBytes || new TextEncoder().encode(text).length > maxNameBytes) {
    refuse(text, what, `it is longer than ${maxNameBytes} bytes`);
  }
  if (unfit.test(text)) refuse(text, what, "it has a control character, a line separator or a lone surrogate");
}

function refuse(text: unknown, what: string, why: string): never {
  const shown =
    typeof text === "string" ? JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text) : typeof text;
  throw new BusError("invalid", `${shown} is no ${what}: ${why}`);
}

export interface BlobStore {
  /**
   * Resolves once the whole of it has replaced what the name stood for; until then, and for ever where it rejects, that is
   * what is read. Takes from `data` as the broker takes from here: about 1 MiB is under way. What `data` throws is "invalid",
   * with it as the cause. Each chunk ends within requestTimeoutMs; the whole takes as long as it takes.
   */
  put(
    name: string,
    data: AsyncIterable<Uint8Array> | Uint8Array,
  ): Promise<{ readonly bytes: number; readonly sha256: string }>;
  /** undefined when absent. Iterated once, from when on it runs at most 1 MiB ahead. A damaged or replaced blob fails the iteration, never yields wrong bytes silently: "codec", "gap". */
  get(
    name: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Whether there was one. */
  delete(name: string): Promise<boolean>;
  /** Sorted by name, as JavaScript compares strings. */
  list(prefix?: string): Promise<readonly { readonly name: string; readonly bytes: number }[]>;
  destroy(): Promise<void>;
}
