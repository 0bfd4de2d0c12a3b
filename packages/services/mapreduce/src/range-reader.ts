import { type FileHandle, open } from "node:fs/promises";
import type { Range } from "./split.ts";
import { lastCut } from "./word-bytes.ts";

const blockBytes = 1 << 20;
/** Beyond it no string could hold what is between two separators. */
const longestRun = 1 << 29;

/**
 * Reads a range in blocks that cut no word and gives each to `take`, which is done with it when it returns. Blocks are of
 * 1 MiB, or less in the end, or more where there is no place to cut. Rejects where the file ends before the range does.
 */
export async function readBlocks(range: Range, take: (block: Uint8Array) => void, signal?: AbortSignal): Promise<void> {
  const file = await open(range.path);
  try {
    await readFrom(file, range, take, signal);
  } finally {
    await file.close();
  }
}

async function readFrom(
  file: FileHandle,
  range: Range,
  take: (block: Uint8Array) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  let buffer: Buffer = Buffer.allocUnsafe(Math.min(blockBytes, range.end - range.start));
  let kept = 0;
  let position = range.start;
  while (position < range.end) {
    signal?.throwIfAborted();
    const wanted = Math.min(buffer.length - kept, range.end - position);
    const { bytesRead } = await file.read(buffer, kept, wanted, position);
    if (bytesRead === 0)
      throw new Error(`it ended at byte ${position}, ${range.end - position} before what was listed`);
    position += bytesRead;
    const held = kept + bytesRead;
    const cut = position === range.end ? held : lastCut(buffer.subarray(0, held), kept);
    if (cut > 0) {
      take(buffer.subarray(0, cut));
      buffer.copyWithin(0, cut, held);
      kept = held - cut;
    } else kept = held;
    if (kept === buffer.length && position < range.end) buffer = doubled(buffer, kept);
  }
}

function doubled(buffer: Buffer, kept: number): Buffer {
  if (kept >= longestRun) throw new Error(`it has ${kept} bytes without a separator: too long for one word`);
  const larger = Buffer.allocUnsafe(kept * 2);
  buffer.copy(larger, 0, 0, kept);
  return larger;
}
