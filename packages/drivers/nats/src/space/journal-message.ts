/**
 * What a message of the journal holds. Big-endian:
 *
 *   0  2 B  "QS"
 *   2  u8   format, 1
 *   3  u8   flags: 1 it begins a group, 2 it ends one, 4 a new owner begins here
 *   4  u32  CRC-32 of all behind it
 *   8  f64  epoch of the owner that wrote it
 *  16  f64  its number among the messages of that owner
 *  24       its part of the group: changes, as packages/engine/src/journal.ts lays them out
 */
import { crc32 } from "node:zlib";
import { failed } from "../failure.ts";

export const journalHeaderBytes = 24;
const format = 1;
export const PartFlag = { first: 1, last: 2, owner: 4 } as const;

export interface JournalPart {
  readonly flags: number;
  readonly epoch: number;
  readonly serial: number;
  /** A view into the message. */
  readonly data: Buffer;
}

export function encodePart(flags: number, epoch: number, serial: number, data: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(journalHeaderBytes + data.length);
  message[0] = 0x51;
  message[1] = 0x53;
  message[2] = format;
  message[3] = flags;
  message.writeDoubleBE(epoch, 8);
  message.writeDoubleBE(serial, 16);
  message.set(data, journalHeaderBytes);
  message.writeUInt32BE(crc32(message.subarray(8)), 4);
  return message;
}

/** "unsupported" for a later format, "unavailable" for what is damaged or foreign; nothing has been changed then. */
export function decodePart(bytes: Uint8Array, where: string): JournalPart {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (message.length < journalHeaderBytes || message[0] !== 0x51 || message[1] !== 0x53)
    throw failed("unavailable", `${where} is no message of Quadrant's: the stream is used by something else`);
  if (message[2] !== format)
    throw failed("unsupported", `${where} has format ${message[2]}: it was written by a later release; use that`);
  if (crc32(message.subarray(8)) !== message.readUInt32BE(4))
    throw failed("unavailable", `${where} is damaged: its checksum is wrong; restore the stream from a backup`);
  return {
    flags: message[3]!,
    epoch: message.readDoubleBE(8),
    serial: message.readDoubleBE(16),
    data: message.subarray(journalHeaderBytes),
  };
}
