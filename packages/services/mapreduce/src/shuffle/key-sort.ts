/** Byte sequences that lie in one buffer. */
export interface KeyBytes {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** Fewer are compared one by one. */
const fewest = 48;
/** More are counted by sixteen bits at once. */
const manyKeys = 1 << 14;

/**
 * Sorts places of keys by the keys' bytes; equal ones keep their order. By radix, four bytes at a time, each as two
 * halves; where many begin alike their next four bytes follow.
 */
export function sortKeys(places: Uint32Array, keys: KeyBytes, order: "ascending" | "descending"): void {
  const work = { keys, sign: order === "ascending" ? 1 : -1, ...roomFor(places.length) };
  sortFrom(places, work, 0, places.length, 0);
}

interface Work {
  readonly keys: KeyBytes;
  readonly sign: number;
  /** Four bytes of each key, turned round for a descending order. */
  readonly digits: Uint32Array;
  readonly otherDigits: Uint32Array;
  readonly otherPlaces: Uint32Array;
  readonly counts: Uint32Array;
}

function roomFor(length: number): Omit<Work, "keys" | "sign"> {
  return {
    digits: new Uint32Array(length),
    otherDigits: new Uint32Array(length),
    otherPlaces: new Uint32Array(length),
    counts: new Uint32Array(length > manyKeys ? 1 << 16 : 1 << 8),
  };
}

/** Sorts places `from` to `to`, whose keys are alike in the bytes before `depth`. */
function sortFrom(places: Uint32Array, work: Work, from: number, to: number, depth: number): void {
  if (to - from < fewest) {
    insertionSort(places, work, from, to, depth);
    return;
  }
  // Those that end here come first (last), and are alike.
  const [first, last] = partEnded(places, work, from, to, depth);
  if (last - first < fewest) {
    insertionSort(places, work, first, last, depth);
    return;
  }
  const { digits } = work;
  for (let at = first; at < last; at++) digits[at] = digitOf(work, places[at]!, depth);
  radixPass(places, work, first, last, 0);
  radixPass(places, work, first, last, 16);
  for (let start = first; start < last; ) {
    let end = start + 1;
    while (end < last && digits[end] === digits[start]) end++;
    if (end - start > 1) sortFrom(places, work, start, end, depth + 4);
    start = end;
  }
}

/** Puts keys of at most `depth` bytes at the end where they belong. Returns where the others are. */
function partEnded(
  places: Uint32Array,
  { keys, sign, otherPlaces }: Work,
  from: number,
  to: number,
  depth: number,
): readonly [from: number, to: number] {
  let ended = 0;
  for (let at = from; at < to; at++) if (lengthOf(keys, places[at]!) <= depth) ended++;
  if (ended === 0) return [from, to];
  let endedAt = sign > 0 ? from : to - ended;
  const first = sign > 0 ? from + ended : from;
  let othersAt = first;
  for (let at = from; at < to; at++) {
    const place = places[at]!;
    if (lengthOf(keys, place) <= depth) otherPlaces[endedAt++] = place;
    else otherPlaces[othersAt++] = place;
  }
  places.set(otherPlaces.subarray(from, to), from);
  return [first, othersAt];
}

function lengthOf({ starts, ends }: KeyBytes, place: number): number {
  return ends[place]! - starts[place]!;
}

/** The four bytes from `depth`; missing ones count as zeros, of which longer keys are told apart at the next depth. */
function digitOf({ keys: { bytes, starts, ends }, sign }: Work, place: number, depth: number): number {
  const at = starts[place]! + depth;
  const left = ends[place]! - at;
  const digit =
    left >= 4
      ? (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
      : (bytes[at]! << 24) | (left > 1 ? bytes[at + 1]! << 16 : 0) | (left > 2 ? bytes[at + 2]! << 8 : 0);
  return sign > 0 ? digit >>> 0 : ~digit >>> 0;
}

/** Counts into 65 536 buckets where there are many; into 256 twice where that would take longer than the keys do. */
function radixPass(places: Uint32Array, work: Work, from: number, to: number, shift: number): void {
  if (to - from > manyKeys) bucketPass(places, work, from, to, shift, 0xffff);
  else {
    bucketPass(places, work, from, to, shift, 0xff);
    bucketPass(places, work, from, to, shift + 8, 0xff);
  }
}

function bucketPass(places: Uint32Array, work: Work, from: number, to: number, shift: number, mask: number): void {
  const { digits, otherDigits, otherPlaces, counts } = work;
  counts.fill(0, 0, mask + 1);
  for (let at = from; at < to; at++) counts[(digits[at]! >>> shift) & mask]!++;
  let sum = from;
  for (let bucket = 0; bucket <= mask; bucket++) {
    const count = counts[bucket]!;
    counts[bucket] = sum;
    sum += count;
  }
  for (let at = from; at < to; at++) {
    const digit = digits[at]!;
    const target = counts[(digit >>> shift) & mask]!++;
    otherDigits[target] = digit;
    otherPlaces[target] = places[at]!;
  }
  digits.set(otherDigits.subarray(from, to), from);
  places.set(otherPlaces.subarray(from, to), from);
}

function insertionSort(places: Uint32Array, work: Work, from: number, to: number, depth: number): void {
  for (let next = from + 1; next < to; next++) {
    const place = places[next]!;
    let at = next;
    while (at > from && compare(work, places[at - 1]!, place, depth) > 0) {
      places[at] = places[at - 1]!;
      at--;
    }
    places[at] = place;
  }
}

function compare({ keys: { bytes, starts, ends }, sign }: Work, a: number, b: number, depth: number): number {
  let left = starts[a]! + depth;
  let right = starts[b]! + depth;
  const leftEnd = ends[a]!;
  const rightEnd = ends[b]!;
  while (left < leftEnd && right < rightEnd) {
    const difference = bytes[left++]! - bytes[right++]!;
    if (difference !== 0) return difference * sign;
  }
  return (leftEnd - left - (rightEnd - right)) * sign;
}
