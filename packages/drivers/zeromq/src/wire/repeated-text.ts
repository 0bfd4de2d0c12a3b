/** Longer ones are decoded each time. */
const longest = 64;
const slots = 256;
const remembered: string[] = new Array<string>(slots).fill("");

/**
 * Reads UTF-8 that is likely to have been read before, as subjects, addresses and methods are: it is compared with what
 * was read last under the same hash, and decoded only where it differs. `end` must not lie behind the bytes.
 */
export function repeatedText(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return "";
  if (length > longest) return bytes.toString("utf8", start, end);
  const slot = (length * 31 + bytes[end - 1]! * 17 + bytes[start + (length >> 1)]!) % slots;
  const text = remembered[slot]!;
  if (text.length === length) {
    let at = 0;
    while (at < length && text.charCodeAt(at) === bytes[start + at]) at++;
    if (at === length) return text;
  }
  const read = bytes.toString("utf8", start, end);
  // As many characters as bytes: ASCII, or with replacements of what is malformed, which equal no byte.
  if (read.length === length) remembered[slot] = read;
  return read;
}
