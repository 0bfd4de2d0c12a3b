import type { CallRequest, ReplyFrame } from "@quadrant/contract";
import { Packing, Unpacking } from "./packing.ts";

const packing = new Packing();

export interface PackedCall {
  /** Who calls, and the call's number there. */
  readonly caller: string;
  readonly id: number;
  readonly request: CallRequest;
}

export function packCallInto(into: Packing, caller: string, id: number, request: CallRequest): void {
  const { address, method, headers, contentType, body, timeoutMs, credit } = request;
  into.short(caller).number(id).text(address).text(method).short(contentType).headers(headers);
  into.number(timeoutMs).whole(credit).rest(body);
}

export function packCall(caller: string, id: number, request: CallRequest): Buffer {
  packCallInto(packing, caller, id, request);
  return packing.take();
}

/** How a message of calls for a server, "client.number", begins. */
export function callsWord(server: string): string {
  return `c${server.slice(server.indexOf(".") + 1)}\n`;
}

export function unpackCall(bytes: Buffer): PackedCall {
  const read = new Unpacking(bytes);
  const caller = read.short();
  const id = read.number();
  const address = read.text();
  const method = read.text();
  const contentType = read.short();
  const headers = read.headers();
  const timeoutMs = read.number();
  const credit = read.whole();
  return { caller, id, request: { address, method, contentType, headers, timeoutMs, credit, body: read.rest() } };
}

/** What one client tells another about a call. */
export type CallWord =
  /** To the caller: another server has it, "" where there is none; or it will not be answered. */
  | { readonly kind: "moved"; readonly id: number; readonly server: string }
  | { readonly kind: "lost"; readonly id: number }
  /** To the server. */
  | { readonly kind: "credit"; readonly caller: string; readonly id: number; readonly items: number }
  | { readonly kind: "cancel"; readonly caller: string; readonly id: number };

const frameKinds = ["value", "item", "end", "error"] as const;
const moved = 4;
const lost = 5;
const credit = 6;
const cancel = 7;

/** A frame of a call's reply; `order` counts those of a call, so that one sent twice is taken once. */
export function packFrame(into: Packing, id: number, order: number, { kind, contentType, body }: ReplyFrame): void {
  const from = into.size;
  into.whole(0).byte(frameKinds.indexOf(kind)).number(id).whole(order).short(contentType).rest(body);
  into.patch(from, into.size - from - 4);
}

export function packWord(into: Packing, word: CallWord): void {
  const from = into.size;
  into.whole(0);
  switch (word.kind) {
    case "moved":
      into.byte(moved).number(word.id).short(word.server);
      break;
    case "lost":
      into.byte(lost).number(word.id);
      break;
    case "credit":
      into.byte(credit).number(word.id).short(word.caller).whole(word.items);
      break;
    case "cancel":
      into.byte(cancel).number(word.id).short(word.caller);
      break;
  }
  into.patch(from, into.size - from - 4);
}

/** How a message of words begins. */
export const wordsKind: number = 0x66;

/** A message of one word. */
export function packedWord(word: CallWord): Buffer {
  packing.byte(wordsKind);
  packWord(packing, word);
  return packing.take();
}

/** Who hears what is said of calls. */
export interface WordReader {
  frame(id: number, order: number, frame: ReplyFrame): void;
  word(word: CallWord): void;
}

/** Each word of a message, from `from` on. */
export function readWords(bytes: Buffer, from: number, reader: WordReader): void {
  for (let at = from; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    const read = new Unpacking(bytes, at + 4, end);
    at = end;
    const kind = read.byte();
    const id = read.number();
    const frameKind = frameKinds[kind];
    if (frameKind !== undefined) {
      const order = read.whole();
      const contentType = read.short();
      reader.frame(id, order, { kind: frameKind, contentType, body: read.rest() });
    } else {
      const word = readWord(kind, id, read);
      if (word !== undefined) reader.word(word);
    }
  }
}

function readWord(kind: number, id: number, read: Unpacking): CallWord | undefined {
  switch (kind) {
    case moved:
      return { kind: "moved", id, server: read.short() };
    case lost:
      return { kind: "lost", id };
    case credit:
      return { kind: "credit", id, caller: read.short(), items: read.whole() };
    case cancel:
      return { kind: "cancel", id, caller: read.short() };
    default:
      return undefined;
  }
}

/** Each call of a message, from `from` on: who has refused it, and what is sent. */
export function eachCall(bytes: Buffer, from: number, take: (refusedBy: string, packed: Buffer) => void): void {
  for (let at = from; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    const refused = bytes.readUInt16BE(at + 4);
    const refusedBy = refused === 0 ? "" : bytes.toString("latin1", at + 6, at + 6 + refused);
    take(refusedBy, bytes.subarray(at + 6 + refused, end));
    at = end;
  }
}
