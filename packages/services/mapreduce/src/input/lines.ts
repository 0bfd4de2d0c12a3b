import { isAscii } from "node:buffer";
import { readBlocks } from "./block-reader.ts";
import { asRead, type Input, type TakeRecord } from "./input.ts";

const newline = 0x0a;
const carriageReturn = 0x0d;

/** The end of the last line that ends at or after `from`; -1 where none does. */
export function lastLineEnd(bytes: Uint8Array, from: number): number {
  const at = bytes.lastIndexOf(newline);
  return at < from ? -1 : at + 1;
}

/**
 * Lines as strings, without their ends (LF or CRLF). Invalid UTF-8 is read with replacement. A last line without an end
 * counts, an empty one after the last end does not. The offset is that of the line's first byte.
 */
export const lines: Input<string> = {
  name: "lines",
  cut: "line",
  record: asRead,
  read: (range, take, signal) =>
    readBlocks(
      range,
      lastLineEnd,
      // One string of the block, of which lines are slices: much quicker than a string for each line.
      (block, position) => (isAscii(block) ? takeAscii(block, position, take) : takeEach(block, position, take)),
      signal,
    ),
};

function* takeAscii(block: Buffer, position: number, take: TakeRecord): Generator<undefined> {
  const text = block.toString("latin1");
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf("\n", start);
    const next = found < 0 ? text.length : found;
    const end = found > start && text.charCodeAt(found - 1) === carriageReturn ? found - 1 : next;
    if (take(text.slice(start, end), position + start)) yield;
    start = next + 1;
  }
}

function* takeEach(block: Buffer, position: number, take: TakeRecord): Generator<undefined> {
  for (let start = 0; start < block.length; ) {
    const found = block.indexOf(newline, start);
    const next = found < 0 ? block.length : found;
    const end = found > start && block[found - 1] === carriageReturn ? found - 1 : next;
    if (take(block.toString("utf8", start, end), position + start)) yield;
    start = next + 1;
  }
}
