/** Of this process alone, so that no peer can choose texts that meet. */
const seed = Math.floor(Math.random() * 0x1_0000_0000) | 0;
const factor = Math.floor(Math.random() * 0x1000_0000) * 8 + 5;

/** What a hash of several texts begins with. */
export const emptyHash: number = seed;

/** A hash of what was hashed before and a part of a text: 32 bits, signed. */
export function hashOn(before: number, text: string, start: number, end: number): number {
  let hash = before ^ (end - start);
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), factor);
    // Without it, texts could be made that meet whatever the factor is.
    hash ^= hash >>> 15;
  }
  return hash;
}
