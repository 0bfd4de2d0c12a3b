/** Reads up to `length` bytes at `position`; fewer only at the end of the file. */
export type ReadAt = (position: number, length: number) => Promise<Uint8Array>;

/** The end of the first place where a piece may be cut; -1 where there is none. */
export type FirstCut = (piece: Uint8Array) => number;

const firstStep = 4_096;
const longestStep = 1 << 20;

/** Where the ranges of a file of `bytes` bytes end: `rangeBytes` apart or a little more, each where it may be cut, the last at the end. */
export async function findCuts(
  bytes: number,
  rangeBytes: number,
  readAt: ReadAt,
  firstCut: FirstCut,
): Promise<readonly number[]> {
  const cuts: number[] = [];
  let start = 0;
  while (start < bytes) {
    const cut = start + rangeBytes >= bytes ? bytes : await nextCut(start + rangeBytes, bytes, readAt, firstCut);
    cuts.push(cut);
    start = cut;
  }
  return cuts;
}

/** The first cut at or after `position`. Looks one byte back: what may be cut after can lie right before it. */
async function nextCut(position: number, bytes: number, readAt: ReadAt, firstCut: FirstCut): Promise<number> {
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
