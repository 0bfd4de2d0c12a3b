/**
 * FNV-1a, 32 bits, over a key's bytes: the same on every machine and in every version, so that all values of one key meet in
 * one partition. Of a hash as a signed integer, `hash >>> 0` is the published value.
 */
export const fnvStart: number = 0x811c9dc5 | 0;
export const fnvPrime = 0x01000193;

/** FNV-1a of bytes, as a signed integer. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = fnvStart;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, fnvPrime);
  return hash;
}

/** Which of `partitions` a key belongs to. */
export function partitionOf(bytes: Uint8Array, start: number, end: number, partitions: number): number {
  return (hashOf(bytes, start, end) >>> 0) % partitions;
}
