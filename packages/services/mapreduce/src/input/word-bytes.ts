/**
 * What each byte of a UTF-8 text can be to a word: 0 for an ASCII byte that is no letter and no digit, a *separator*;
 * the lower-case byte for an ASCII letter; itself for a digit and for every byte of a longer sequence, whose decoding
 * decides later.
 *
 * A separator belongs to no word, never lies inside a multi-byte sequence, and ends a broken one. So a text cut right
 * after a separator decodes to the same characters, and has the same words, as the whole.
 */
export const wordBytes: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return byte;
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9]/.test(character) ? character.toLowerCase().charCodeAt(0) : 0;
});

/** The end of the first separator in `bytes` at or after `from`; -1 where there is none. */
export function firstCut(bytes: Uint8Array, from: number = 0): number {
  for (let i = from; i < bytes.length; i++) if (wordBytes[bytes[i]!] === 0) return i + 1;
  return -1;
}

/** The end of the last separator in `bytes` at or after `from`; -1 where there is none. */
export function lastCut(bytes: Uint8Array, from: number = 0): number {
  for (let i = bytes.length - 1; i >= from; i--) if (wordBytes[bytes[i]!] === 0) return i + 1;
  return -1;
}
