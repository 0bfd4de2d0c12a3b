/** The groups of changes of packages/engine/src/journal.ts, as far as a journal has to look into them. */

const headerBytes = 10;
const checksumBytes = 4;
const lastRowBytes = 6;
const removed = 0xffff_ffff;

export interface ChangeVisitor {
  /** From `start` to `end` the change as it stands in the group; the row itself begins at `body`. */
  put(row: number, start: number, body: number, end: number): void;
  remove(first: number, last: number): void;
}

export function eachChange(changes: Buffer, visitor: ChangeVisitor): void {
  for (let at = 0; at < changes.length; ) {
    const start = at;
    const row = changes.readUIntBE(at, 6);
    const length = changes.readUInt32BE(at + 6);
    at += headerBytes;
    if (length === removed) {
      visitor.remove(row, changes.readUIntBE(at, lastRowBytes));
      at += lastRowBytes;
    } else {
      const body = at + checksumBytes;
      at = body + length;
      visitor.put(row, start, body, at);
    }
  }
}
