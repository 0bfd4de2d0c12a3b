/**
 * The tail of a journal: two files of groups that are committed and not yet in the database, written in turn. A group is a
 * record: u32 CRC-32 of all that follows, u32 bytes of its changes, u48 epoch, u48 number, then the changes. The epoch names
 * the opening of the journal that has written it, the number is one more than that of the record before: what stands behind
 * the last record of a file, of an earlier turn, is never taken for one that follows it. Big-endian.
 */
import { join } from "node:path";
import { crc32 } from "node:zlib";

export const recordHeaderBytes: number = 20;
const crcBytes = 4;

export function tailPath(folder: string, index: number): string {
  return join(folder, `tail-${index}`);
}

export function recordHeader(epoch: number, number: number, changes: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(recordHeaderBytes);
  header.writeUInt32BE(changes.length, 4);
  header.writeUIntBE(epoch, 8, 6);
  header.writeUIntBE(number, 14, 6);
  header.writeUInt32BE(crc32(changes, crc32(header.subarray(crcBytes))), 0);
  return header;
}

/** The records of one file, as far as they follow each other. */
export interface TailRun {
  readonly epoch: number;
  /** Of the first record, and of the one that would come next. */
  readonly first: number;
  readonly next: number;
  /** Where it ends. */
  readonly bytes: number;
  readonly changes: readonly Buffer[];
}

/** undefined: there is none. */
export function readRun(file: Buffer): TailRun | undefined {
  const changes: Buffer[] = [];
  let epoch = 0;
  let first = 0;
  let at = 0;
  while (at + recordHeaderBytes <= file.length) {
    const begin = at + recordHeaderBytes;
    const end = begin + file.readUInt32BE(at + 4);
    if (end === begin || end > file.length) break;
    if (crc32(file.subarray(at + crcBytes, end)) !== file.readUInt32BE(at)) break;
    const itsEpoch = file.readUIntBE(at + 8, 6);
    const number = file.readUIntBE(at + 14, 6);
    if (changes.length === 0) {
      epoch = itsEpoch;
      first = number;
    } else if (itsEpoch !== epoch || number !== first + changes.length) break;
    changes.push(file.subarray(begin, end));
    at = end;
  }
  return changes.length === 0 ? undefined : { epoch, first, next: first + changes.length, bytes: at, changes };
}

/** What is to be done again, in order: the newest run, and the one before it where they join. */
export function runsToRepeat(runs: readonly (TailRun | undefined)[]): readonly TailRun[] {
  const [older, newest] = runs.filter((run) => run !== undefined).sort((a, b) => a.first - b.first);
  if (older === undefined || newest === undefined) return older === undefined ? [] : [older];
  return older.epoch === newest.epoch && older.next === newest.first ? [older, newest] : [newest];
}
