import type { Kept } from "./group-commit.ts";
import type { Resident } from "./resident.ts";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";

/** A tuple that was handed over, and may be asked for again by this ticket. */
export interface Handed extends Kept {
  readonly resident: Resident;
  readonly ticket: string;
}

export function encodeHanded({ row, resident, ticket }: Handed, rows: RowWriter): void {
  rows.begin(row, RowKind.handed).whole(resident.row).text(ticket).end();
}

/** As it is kept. */
export interface HandedRecord {
  readonly row: number;
  /** The row of the tuple. */
  readonly tuple: number;
  readonly ticket: string;
}

export function readHanded(row: number, reader: RowReader): HandedRecord {
  return { row, tuple: reader.whole(), ticket: reader.text() };
}
