/**
 * The port behind which an engine keeps what is to outlive it: rows of bytes, each under a number of its own. What a row
 * means is the engine's business (row.ts and recovery.ts), how it is kept the journal's.
 */
export interface Journal {
  /** Shows every row in the order of the numbers. Called once, before anything else. Resolves with the free bytes, as `commit`. */
  load(visit: (row: number, data: Buffer) => void): Promise<number>;
  /**
   * Makes a group of changes, all or none; one group at a time. The bytes are the journal's until then, and may be gone
   * afterwards; the buffer behind them is used again where it is not. Resolves
   * once the changes are as stable as the journal makes things, or were refused because the medium had no room. Rejects
   * with "unavailable" where the journal can be used no longer.
   */
  commit(changes: Uint8Array<ArrayBuffer>): Promise<CommitOutcome>;
  /** Waits for the commit under way, then lets go of everything. Idempotent, never rejects. */
  close(): Promise<void>;
}

export type CommitOutcome =
  /** With about how many bytes more the medium takes; Infinity where that cannot be known. */
  | { readonly kept: true; readonly freeBytes: number }
  /** Nothing was changed; the group may be tried again. */
  | { readonly kept: false; readonly changes: Uint8Array<ArrayBuffer> };

/**
 * In front of each change of a group: u48 row, u32 bytes of the row, or `removed`. Behind it the row, in front of which
 * there is room for a checksum; or, of rows that are removed, u48 the last of those with adjoining numbers. Big-endian.
 */
export const changeHeaderBytes: number = 10;
export const checksumBytes: number = 4;
export const lastRowBytes: number = 6;
export const removed: number = 0xffff_ffff;

export interface ChangeVisitor {
  /** `stored` begins with the room for the checksum. */
  put(row: number, stored: Buffer): void;
  remove(first: number, last: number): void;
}

export function eachChange(changes: Buffer, visitor: ChangeVisitor): void {
  for (let at = 0; at < changes.length; ) {
    const row = changes.readUIntBE(at, 6);
    const length = changes.readUInt32BE(at + 6);
    at += changeHeaderBytes;
    if (length === removed) {
      visitor.remove(row, changes.readUIntBE(at, lastRowBytes));
      at += lastRowBytes;
      continue;
    }
    const end = at + checksumBytes + length;
    visitor.put(row, changes.subarray(at, end));
    at = end;
  }
}
