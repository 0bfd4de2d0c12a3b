import { open } from "node:fs/promises";
import { findCuts } from "./cuts.ts";
import { type Document, messageOf, type Unread } from "./document.ts";
import type { FileRange, Input } from "./input.ts";
import { firstCut as firstWordCut } from "./word-bytes.ts";

/** The work of one map task: ranges of files that are read one after another. */
export interface Split {
  readonly ranges: readonly FileRange[];
  readonly bytes: number;
}

/** A file to be read, and what its input was called when the job was started. */
export interface InputFile extends Document {
  readonly source?: string | undefined;
}

export interface SplitOptions {
  /** About so many bytes a split. Default: so many that each worker gets eight, from 256 KiB to 64 MiB. */
  readonly splitBytes?: number | undefined;
  /** How many work at the same time. Default 4. */
  readonly workers?: number | undefined;
}

export interface SplitPlan {
  readonly splits: readonly Split[];
  readonly unread: readonly Unread[];
}

/** Files that are not cut are put together up to so many times the size of a split, rather than to half of it. */
const fullest = 1.1;
/** A split names at most so many files. */
const rangesPerSplit = 256;

/** Enough of them to keep all workers busy to the end, few enough to be cheap. */
const splitsPerWorker = 8;

function defaultSplitBytes(totalBytes: number, workers: number): number {
  return Math.min(Math.max(Math.ceil(totalBytes / workers / splitsPerWorker), 256 * 1024), 64 * 1024 * 1024);
}

/**
 * Makes splits of files: small ones together, large ones in ranges that are cut where the input allows it. Empty files are
 * in no split. What an input lists itself becomes one split a range.
 */
export async function planSplits(
  input: Input<unknown>,
  files: readonly InputFile[],
  { splitBytes, workers = 4 }: SplitOptions = {},
): Promise<SplitPlan> {
  if (input.list !== undefined) {
    const ranges = await input.list();
    return { splits: ranges.map((range) => ({ ranges: [range], bytes: range.end - range.start })), unread: [] };
  }
  const each =
    splitBytes ??
    defaultSplitBytes(
      files.reduce((sum, { bytes }) => sum + bytes, 0),
      workers,
    );
  const splits: Split[] = [];
  const unread: Unread[] = [];
  let batch: FileRange[] = [];
  let batched = 0;
  const flush = (): void => {
    if (batch.length > 0) splits.push({ ranges: batch, bytes: batched });
    batch = [];
    batched = 0;
  };
  for (const { path, bytes, source } of files) {
    if (bytes === 0) continue;
    if (bytes > each && input.cut !== "never") {
      try {
        for (const { start, end } of await rangesOf(path, bytes, each, input.cut)) {
          splits.push({ ranges: [{ path, start, end, source }], bytes: end - start });
        }
      } catch (error) {
        unread.push({ path, message: messageOf(error) });
      }
      continue;
    }
    if (batched + bytes > each * fullest || batch.length === rangesPerSplit) flush();
    batch.push({ path, start: 0, end: bytes, source });
    batched += bytes;
  }
  flush();
  return { splits, unread };
}

async function rangesOf(
  path: string,
  bytes: number,
  splitBytes: number,
  cut: "line" | "word",
): Promise<readonly { readonly start: number; readonly end: number }[]> {
  const file = await open(path);
  try {
    const each = Math.ceil(bytes / Math.round(bytes / splitBytes));
    const firstCut = cut === "word" ? firstWordCut : firstLineCut;
    const readAt = async (position: number, length: number): Promise<Uint8Array> => {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    };
    const cuts = await findCuts(bytes, each, readAt, firstCut);
    return cuts.map((end, index) => ({ start: cuts[index - 1] ?? 0, end }));
  } finally {
    await file.close();
  }
}

function firstLineCut(bytes: Uint8Array): number {
  return bytes.indexOf(0x0a) + 1 || -1;
}
