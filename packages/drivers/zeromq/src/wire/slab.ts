/**
 * The memory of packets under construction, used again and again: a fresh buffer for each of some thousands of packets a
 * second keeps the garbage collector busier than the packets keep the rest.
 */

/** The largest holds a full batch, and the record that filled it where that is no larger than most. */
const sizes = [8_192, 16_384, 40_960] as const;
/** So many of a size are kept for the whole process. */
const maxSpare = 64;
/** Of less there may be one for each of thousands of clients: they take as much as they need. */
const smallBytes = 4_096;

const spare = new Map<number, Buffer[]>(sizes.map((size) => [size, []]));

/** A buffer of `bytes` at least: a slab, unless that is too little or too much for one. */
export function takeBuffer(bytes: number): Buffer {
  const size = bytes <= smallBytes ? undefined : sizes.find((each) => each >= bytes);
  if (size === undefined) return Buffer.allocUnsafe(bytes);
  return spare.get(size)!.pop() ?? Buffer.allocUnsafeSlow(size);
}

/** Nobody reads or writes it any more. Buffers that are no slabs are left to the garbage collector. */
export function returnBuffer(buffer: Buffer): void {
  const free = spare.get(buffer.length);
  if (free !== undefined && free.length < maxSpare && buffer.length === buffer.buffer.byteLength) free.push(buffer);
}
