import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { BlockWriter } from "./block-writer.ts";
import type { PairCursor } from "./cursor.ts";
import { type Compression, headBytes, packBlock, runHead } from "./run-format.ts";
import type { RunReference, RunStore } from "./run-store.ts";

/** What a run is, but for where it is. */
export interface RunSize {
  readonly bytes: number;
  readonly records: number;
}

/** Stores a run of pairs that come in order, a block at a time; undefined, and nothing stored, where there are none. */
export async function storeRun(
  pairs: PairCursor,
  identity: Pick<RunReference, "name" | "map" | "partition">,
  compression: Compression,
  store: RunStore,
): Promise<RunReference | undefined> {
  if (!pairs.advance()) return undefined;
  const size = { bytes: headBytes, records: 0 };
  await store.put(identity.name, runChunks(pairs, compression, size));
  return { ...identity, ...size };
}

/** From the pair at hand on. */
async function* runChunks(
  pairs: PairCursor,
  compression: Compression,
  size: { bytes: number; records: number },
): AsyncGenerator<Buffer> {
  yield runHead(compression);
  const ready: Buffer[] = [];
  const writer = new BlockWriter((block) => ready.push(packBlock(block, compression)));
  const handed = (): Buffer => {
    const all = ready.length === 1 ? ready[0]! : Buffer.concat(ready);
    ready.length = 0;
    size.bytes += all.length;
    return all;
  };
  do {
    writer.add(pairs.bytes, pairs.key, pairs.value, pairs.end);
    if (ready.length >= 8) yield handed();
  } while (pairs.advance());
  writer.end();
  if (ready.length > 0) yield handed();
  size.records = writer.pairs;
}

/** Stores a run of blocks that are there already. */
export async function storeBlocks(
  blocks: readonly Buffer[],
  identity: Pick<RunReference, "name" | "map" | "partition" | "records">,
  compression: Compression,
  store: RunStore,
): Promise<RunReference> {
  const bytes = Buffer.concat([runHead(compression), ...blocks.map((block) => packBlock(block, compression))]);
  await store.put(identity.name, once(bytes));
  return { ...identity, bytes: bytes.length };
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Writes a run into a file, at once: for what has to leave memory within user code. Removes it when the disk is full. */
export function spillRun(path: string, write: (add: (block: Buffer) => void) => number): RunSize {
  const file = openSync(path, "wx");
  let bytes = 0;
  const append = (piece: Buffer): void => {
    for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    bytes += piece.length;
  };
  try {
    append(runHead("none"));
    const records = write((block) => append(packBlock(block, "none")));
    return { bytes, records };
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** The same of pairs that come in order. */
export function spillPairs(path: string, pairs: PairCursor): RunSize {
  return spillRun(path, (add) => {
    const writer = new BlockWriter(add);
    while (pairs.advance()) writer.add(pairs.bytes, pairs.key, pairs.value, pairs.end);
    writer.end();
    return writer.pairs;
  });
}
