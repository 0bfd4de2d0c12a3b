/**
 * FNV-1a, 32 bits, over the bytes of a word's UTF-8: the same on every machine and in every version, so that all counts
 * of one word meet in one partition. Of a hash as a signed integer, `hash >>> 0` is the published value.
 */
export const fnvStart: number = 0x811c9dc5 | 0;
export const fnvPrime = 0x01000193;

/** Which of `partitions` a word belongs to. */
export function partitionOf(word: string, partitions: number): number {
  let hash = fnvStart;
  for (const byte of Buffer.from(word)) hash = Math.imul(hash ^ byte, fnvPrime);
  return (hash >>> 0) % partitions;
}
