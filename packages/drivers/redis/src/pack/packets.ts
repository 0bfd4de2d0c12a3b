import type { Envelope } from "@quadrant/contract";
import { Packing, Unpacking } from "./packing.ts";

/** Messages of one publisher on one subject, numbered: what is sent as one. */
export interface Packet {
  readonly publisher: string;
  /** The number of its first message among those of the publisher on the subject, from 1. */
  readonly first: number;
  readonly envelopes: readonly Envelope[];
}

/** Packets being written: one at a time. */
export class PacketWriter {
  readonly #packing = new Packing();
  count = 0;

  get size(): number {
    return this.#packing.size;
  }

  begin(publisher: string, first: number): void {
    this.count = 0;
    this.#packing.short(publisher).number(first);
  }

  add({ contentType, headers, body }: Envelope): void {
    this.count++;
    this.#packing.short(contentType).headers(headers).bytes(body);
  }

  take(): Buffer {
    return this.#packing.take();
  }
}

/** Throws where it is none. */
export function readPacket(subject: string, bytes: Buffer, at: number = 0): Packet {
  const read = new Unpacking(bytes, at);
  const publisher = read.short();
  const first = read.number();
  const envelopes: Envelope[] = [];
  while (!read.done) {
    const contentType = read.short();
    const headers = read.headers();
    envelopes.push({ subject, contentType, headers, body: read.bytes() });
  }
  return { publisher, first, envelopes };
}
