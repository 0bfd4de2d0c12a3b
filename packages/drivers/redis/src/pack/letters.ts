import type { Headers } from "@quadrant/contract";
import { Packing, Unpacking } from "./packing.ts";

const packing = new Packing();

export interface PackedLetter {
  readonly id: string;
  readonly sentAt: number;
  readonly headers: Headers;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** Begins with its id: the server's scripts look for that. */
export function packLetter({ id, sentAt, headers, contentType, body }: PackedLetter): Buffer {
  return packing.short(id).number(sentAt).short(contentType).headers(headers).rest(body).take();
}

export function unpackLetter(bytes: Buffer): PackedLetter {
  const read = new Unpacking(bytes);
  const id = read.short();
  const sentAt = read.number();
  const contentType = read.short();
  const headers = read.headers();
  return { id, sentAt, headers, contentType, body: read.rest() };
}

/** Letters that are kept together: where each ends (four bytes each, from the start), then one after the other. */
export function packTogether(letters: readonly PackedLetter[]): Buffer {
  const from = packing.size;
  for (let at = 0; at < letters.length; at++) packing.whole(0);
  for (let at = 0; at < letters.length; at++) {
    const { id, sentAt, headers, contentType, body } = letters[at]!;
    packing.short(id).number(sentAt).short(contentType).headers(headers).rest(body);
    packing.patch(from + at * 4, packing.size - from);
  }
  return packing.take();
}

/** Each of so many letters that were packed together. */
export function unpackTogether(bytes: Buffer, count: number): PackedLetter[] {
  const letters: PackedLetter[] = [];
  let from = count * 4;
  for (let at = 0; at < count; at++) {
    const to = bytes.readUInt32BE(at * 4);
    letters.push(unpackLetter(bytes.subarray(from, to)));
    from = to;
  }
  return letters;
}
