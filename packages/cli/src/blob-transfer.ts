/** The bytes of blobs between a store and the shell: files and pipes, never the whole in memory. */
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import type { BlobStore } from "@quadrant/contract";
import { failed, misused } from "./failure.ts";
import type { Session } from "./session.ts";

/** What is to be put: a file's bytes, or those of stdin. */
export function sourceOf({ stdin, signal }: Session, file: string | undefined): AsyncIterable<Uint8Array> {
  if (file !== undefined) return createReadStream(file, { signal });
  if (stdin.isTTY) throw misused("name a file, or give the bytes on stdin: `quadrant blobs put STORE NAME < FILE`");
  return addAbortSignal(signal, stdin);
}

/** Writes a blob to stdout, or into a file that is there only once all of it is. Returns its bytes. */
export async function fetchBlob(
  { output, signal }: Session,
  store: BlobStore,
  name: string,
  file: string | undefined,
): Promise<number> {
  const blob = await store.get(name, { signal });
  if (blob === undefined) throw failed(`there is no blob called ${name} in this store`);
  if (file !== undefined) return writeFile(file, blob);
  let bytes = 0;
  for await (const chunk of blob) {
    bytes += chunk.length;
    await output.bytes(chunk);
  }
  return bytes;
}

async function writeFile(file: string, blob: AsyncIterable<Uint8Array>): Promise<number> {
  const part = `${file}.${randomUUID().slice(0, 8)}.part`;
  let bytes = 0;
  try {
    const handle = await open(part, "wx");
    try {
      for await (const chunk of blob) {
        bytes += chunk.length;
        await handle.writeFile(chunk);
      }
    } finally {
      await handle.close();
    }
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  return bytes;
}
