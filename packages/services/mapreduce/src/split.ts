import { open } from "node:fs/promises";
import { type Document, messageOf, type Unread } from "./document.ts";
import { firstCut } from "./word-bytes.ts";

/** Bytes `start` to `end`, exclusive, of a file. Begins and ends where no word does. */
export interface Range {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** Reads up to `length` bytes at `position`; fewer only at the end of the file. */
export type ReadAt = (position: number, length: number) => Promise<Uint8Array>;

/** A tuple names at most so many files. */
const rangesPerTask = 256;
const firstStep = 4_096;
const longestStep = 1 << 20;

/** Bytes for one task: enough tasks to keep many workers busy to the end, few enough to be cheap. */
export function defaultTaskBytes(totalBytes: number): number {
  return Math.min(Math.max(Math.ceil(totalBytes / 64), 64 * 1024), 4 * 1024 * 1024);
}

/**
 * The tasks of a job: small files together, large ones in ranges of about `taskBytes` that cut no word. A range is longer
 * only where the file has no place to cut. Empty files are in no task.
 */
export async function splitDocuments(
  documents: readonly Document[],
  taskBytes: number,
): Promise<{ readonly tasks: readonly (readonly Range[])[]; readonly unread: readonly Unread[] }> {
  const tasks: Range[][] = [];
  const unread: Unread[] = [];
  let batch: Range[] = [];
  let batched = 0;
  const flush = (): void => {
    if (batch.length > 0) tasks.push(batch);
    batch = [];
    batched = 0;
  };
  for (const { path, bytes } of documents) {
    if (bytes > taskBytes) {
      try {
        for (const range of await rangesOfFile(path, bytes, taskBytes)) tasks.push([range]);
      } catch (error) {
        unread.push({ path, message: messageOf(error) });
      }
    } else if (bytes > 0) {
      if (batched + bytes > taskBytes || batch.length === rangesPerTask) flush();
      batch.push({ path, start: 0, end: bytes });
      batched += bytes;
    }
  }
  flush();
  return { tasks, unread };
}

async function rangesOfFile(path: string, bytes: number, taskBytes: number): Promise<readonly Range[]> {
  const file = await open(path);
  try {
    // Ranges of one length: no short one remains at the end.
    const each = Math.ceil(bytes / Math.round(bytes / taskBytes));
    const cuts = await findCuts(bytes, each, async (position, length) => {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    });
    return cuts.map((end, index) => ({ path, start: cuts[index - 1] ?? 0, end }));
  } finally {
    await file.close();
  }
}

/** Where the ranges of a text of `bytes` bytes end: `taskBytes` apart or a little more, each right after a separator, the last at the end. */
export async function findCuts(bytes: number, taskBytes: number, readAt: ReadAt): Promise<readonly number[]> {
  const cuts: number[] = [];
  let start = 0;
  while (start < bytes) {
    const cut = start + taskBytes >= bytes ? bytes : await nextCut(start + taskBytes, bytes, readAt);
    cuts.push(cut);
    start = cut;
  }
  return cuts;
}

/** The first safe cut at or after `position`. Looks one byte back: the separator itself may lie right before it. */
async function nextCut(position: number, bytes: number, readAt: ReadAt): Promise<number> {
  let at = position - 1;
  for (let step = firstStep; at < bytes; step = Math.min(step * 4, longestStep)) {
    const piece = await readAt(at, Math.min(step, bytes - at));
    if (piece.length === 0) break;
    const cut = firstCut(piece);
    if (cut >= 0) return at + cut;
    at += piece.length;
  }
  return bytes;
}
