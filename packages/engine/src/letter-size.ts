import type { QueueLetter } from "@quadrant/contract";
import type { LetterContent } from "./letter.ts";

/** Bytes of the body. */
export function bytesOf({ text, body }: LetterContent): number {
  return text === undefined ? body.length : Buffer.byteLength(text);
}

/** About what a letter adds, for the journal. */
export function sizeOf(letter: QueueLetter): number {
  return bytesOf(letter) + letter.id.length + (letter.key?.length ?? 0) + 128;
}
