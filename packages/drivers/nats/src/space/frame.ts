/**
 * What clients and the owner send each other: frames of records, cut into messages that the server takes.
 *
 * A message: u8 flags (1: the frame begins here, 2: it ends here), then its part of the frame.
 * A client's frame: u8 version | u32 its connections so far | u32 the owner's frame up to which it has all | records
 * The owner's frame: u8 version | f64 epoch | u32 number, from 1 for each client | records
 */
import { type BusError, type BusErrorCode, busErrorCodes } from "@quadrant/contract";
import { failed } from "../failure.ts";
import type { Values } from "./bytes.ts";

export const frameVersion = 1;

export const AskKind = {
  /** u32 request | u8 operation | values */
  request: 1,
  /** As `request`: an owner may have had it before. */
  again: 2,
  /** u32 request: stop waiting; the answer says what was decided */
  cancel: 3,
  /** u32 request: its answer came too late; what was taken goes back */
  undo: 4,
  /** The client leaves: what it holds goes back. */
  bye: 5,
} as const;

export const AnswerKind = {
  /** u32 request | u8 status: 0 done, 1 failed | values; of a failure [code, message] */
  response: 1,
  /** Whether anybody is there. */
  ping: 2,
  /** Something was withdrawn here that may be waited for there: ask again. */
  askAgain: 3,
} as const;

const first = 1;
const last = 2;
/** Room for the flags, and for what the server counts besides. */
const spareBytes = 64;

/** The messages of a frame, none larger than the server takes. */
export function cut(frame: Buffer, maxPayloadBytes: number): readonly Uint8Array[] {
  const partBytes = maxPayloadBytes - spareBytes;
  const parts: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < frame.length; at += partBytes) {
    const end = Math.min(frame.length, at + partBytes);
    const part = Buffer.allocUnsafe(1 + end - at);
    part[0] = (at === 0 ? first : 0) | (end === frame.length ? last : 0);
    frame.copy(part, 1, at, end);
    parts.push(part);
  }
  return parts;
}

/** Puts the frames of one sender together again; what was cut off by a lost connection is dropped. */
export class Assembly {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #open = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A frame that is complete with this message. */
  add(message: Uint8Array): Uint8Array | undefined {
    const flags = message[0] ?? 0;
    const part = message.subarray(1);
    if ((flags & first) !== 0) {
      this.#parts = [];
      this.#bytes = 0;
      this.#open = true;
      if ((flags & last) !== 0) {
        this.#open = false;
        return part;
      }
    }
    if (!this.#open) return undefined;
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) {
      this.#open = false;
      this.#parts = [];
      return undefined;
    }
    this.#parts.push(part);
    if ((flags & last) === 0) return undefined;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#open = false;
    return whole;
  }
}

/** The error that an answer tells. */
export function toldError(values: Values): BusError {
  const code = values.text(0);
  const known = busErrorCodes.find((each): each is BusErrorCode => each === code);
  return failed(known ?? "unavailable", values.text(1));
}
