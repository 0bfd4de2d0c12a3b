import { createHash } from "node:crypto";
import type { BlobStore } from "@quadrant/contract";
import { expect } from "vitest";
import { guard } from "./guard.ts";

export const mebibyte = 1_048_576;

/** So many bytes that no other seed has, by Marsaglia's xorshift. */
export function contentOf(seed: number, bytes: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  let state = seed + 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, bytes);
}

/** The content in pieces of uneven sizes. */
export async function* inPieces(content: Uint8Array): AsyncGenerator<Uint8Array> {
  const sizes = [1, 70_000, 131_072, 0, 300_001, 7];
  for (let at = 0, turn = 0; at < content.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    yield content.subarray(at, at + size);
    at += size;
  }
}

export function sumOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

export async function put(store: BlobStore, name: string, content: Uint8Array): Promise<void> {
  expect(await guard(store.put(name, content), `the put of ${name}`)).toEqual({
    bytes: content.length,
    sha256: sumOf(content),
  });
}

/** All bytes of a blob; undefined where there is none. */
export async function bytesOf(store: BlobStore, name: string): Promise<Uint8Array | undefined> {
  const blob = await store.get(name);
  if (blob === undefined) return undefined;
  const read = async (): Promise<Uint8Array> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of blob) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return guard(read(), `the bytes of ${name}`);
}

/** Compared as a whole: a difference of megabytes is not to be printed. */
export async function expectContent(store: BlobStore, name: string, content: Uint8Array): Promise<void> {
  const bytes = await bytesOf(store, name);
  expect(bytes?.length).toBe(content.length);
  expect(Buffer.compare(bytes!, content)).toBe(0);
}

/** The first chunk, and the iterator it came from. */
export async function begun(store: BlobStore, name: string, signal?: AbortSignal): Promise<AsyncIterator<Uint8Array>> {
  const blob = await store.get(name, { signal });
  const iterator = blob![Symbol.asyncIterator]();
  const first = await guard(iterator.next(), "the first chunk");
  expect(first.done).toBe(false);
  return iterator;
}

/** Reads on to the end. */
export async function drained(iterator: AsyncIterator<Uint8Array>): Promise<void> {
  while ((await iterator.next()).done !== true);
}
