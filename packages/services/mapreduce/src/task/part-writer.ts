import { createHash, type Hash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import type { KeyReducer } from "./key-reducer.ts";
import { type PartReference, partName, type ReduceTask, type TaskSurroundings } from "./task.ts";

const chunkBytes = 1 << 18;
/** Keys are reduced for so long before others get a turn. */
const turnMs = 20;
/** The clock is looked at every so many keys. */
const keysPerLook = 64;

/** Stores the results of all keys, as they come. */
export async function storePart(
  task: ReduceTask,
  { parts, signal, progress }: TaskSurroundings,
  reducer: KeyReducer,
): Promise<PartReference> {
  const part = partName(task.partition, task.partitions);
  const name = `${task.run}.${part}.${task.attempt}`;
  const hash = createHash("sha256");
  const size = { bytes: 0 };
  const note = (): void => {
    signal?.throwIfAborted();
    progress?.({ bytes: 0, records: reducer.records });
  };
  await parts.put(name, partChunks(reducer, hash, size, note));
  return { partition: task.partition, name, part, bytes: size.bytes, sha256: hash.digest("hex") };
}

async function* partChunks(
  reducer: KeyReducer,
  hash: Hash,
  size: { bytes: number },
  note: () => void,
): AsyncGenerator<Buffer> {
  const { out } = reducer;
  const taken = (): Buffer => {
    const chunk = Buffer.from(out.written());
    out.clear();
    hash.update(chunk);
    size.bytes += chunk.length;
    return chunk;
  };
  let since = performance.now();
  while (reducer.step()) {
    if (out.length >= chunkBytes) yield taken();
    if (reducer.keys % keysPerLook === 0 && performance.now() - since > turnMs) {
      note();
      await turn();
      since = performance.now();
    }
  }
  if (out.length > 0) yield taken();
}
