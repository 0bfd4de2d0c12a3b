/**
 * FNV-1a, 32 bits, over the UTF-8 bytes of a well-formed string: the same on every machine and in every version, so that
 * all counts of one word meet in one partition.
 */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5 | 0;
  const add = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      hash = Math.imul(hash ^ code, 0x01000193);
      continue;
    }
    if (code >= 0xd800 && code < 0xdc00 && i + 1 < text.length) {
      code = 0x10000 + ((code - 0xd800) << 10) + (text.charCodeAt(++i) - 0xdc00);
    }
    if (code < 0x800) add(0xc0 | (code >> 6));
    else if (code < 0x10000) {
      add(0xe0 | (code >> 12));
      add(0x80 | ((code >> 6) & 0x3f));
    } else {
      add(0xf0 | (code >> 18));
      add(0x80 | ((code >> 12) & 0x3f));
      add(0x80 | ((code >> 6) & 0x3f));
    }
    add(0x80 | (code & 0x3f));
  }
  return hash >>> 0;
}

/** Which of `partitions` a word belongs to. */
export function partitionOf(word: string, partitions: number): number {
  return fnv1a(word) % partitions;
}
