import { crc32, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/**
 * A run: pairs in the order of their keys, in blocks that are checked one by one.
 *
 *   run    = "QRUN" version:u8 compression:u8 block*
 *   block  = stored:u32 raw:u32 crc32:u32 bytes     (big-endian; the CRC is of the bytes as stored)
 *   bytes  = pair*                                  (compressed as a whole)
 *   pair   = varint(key length) varint(value length) key value
 *
 * A pair lies in one block. Whether all blocks are there is known from the run's reference, which tells bytes and pairs.
 */
const magic = Buffer.from("QRUN");
const version = 1;
export const headBytes = 6;
export const blockHeadBytes = 12;

export type Compression = "none" | "zstd" | "gzip";
const compressions: readonly Compression[] = ["none", "zstd", "gzip"];

export function runHead(compression: Compression): Buffer {
  return Buffer.concat([magic, Buffer.from([version, compressions.indexOf(compression)])]);
}

/** Throws for what is no head of a run. */
export function compressionOf(head: Buffer): Compression {
  const compression = compressions[head[5]!];
  if (!head.subarray(0, 4).equals(magic) || head[4] !== version || compression === undefined) {
    throw new Error("it does not begin as a run does");
  }
  return compression;
}

/** A block as it is stored, its head before it. */
export function packBlock(raw: Buffer, compression: Compression): Buffer {
  const bytes =
    compression === "zstd" ? zstdCompressSync(raw) : compression === "gzip" ? gzipSync(raw, { level: 1 }) : raw;
  const stored = Buffer.allocUnsafe(blockHeadBytes + bytes.length);
  stored.writeUInt32BE(bytes.length, 0);
  stored.writeUInt32BE(raw.length, 4);
  stored.writeUInt32BE(crc32(bytes), 8);
  stored.set(bytes, blockHeadBytes);
  return stored;
}

export interface BlockHead {
  readonly stored: number;
  readonly raw: number;
  readonly crc: number;
}

export function blockHeadOf(bytes: Buffer, at: number): BlockHead {
  return { stored: bytes.readUInt32BE(at), raw: bytes.readUInt32BE(at + 4), crc: bytes.readUInt32BE(at + 8) };
}

/** A block's pairs; throws where they are not what was stored. */
export function unpackBlock(bytes: Buffer, { raw, crc }: BlockHead, compression: Compression): Buffer {
  if (crc32(bytes) !== crc) throw new Error("a block's checksum does not fit");
  const options = { maxOutputLength: raw };
  const pairs =
    compression === "zstd"
      ? zstdDecompressSync(bytes, options)
      : compression === "gzip"
        ? gunzipSync(bytes, options)
        : bytes;
  if (pairs.length !== raw) throw new Error("a block's length does not fit");
  return pairs;
}
