import { TextFields } from "@quadrant/contract";
import { Resident } from "./resident.ts";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";

/** `home`: the row of the space. */
export function writeTuple(rows: RowWriter, home: number, resident: Resident): void {
  const { row, seq, expiresAt, text } = resident;
  rows.begin(row, RowKind.tuple).whole(home).whole(seq).number(expiresAt).optionalText(undefined).text(text).end();
}

/** A tuple as it is kept. */
export interface TupleRecord {
  readonly resident: Resident;
  /** By which it was handed over: in the row of a tuple in journals of before there were rows for it (handed.ts). */
  readonly ticket: string | undefined;
}

/** Throws "codec" where it makes no sense. */
export function readTuple(row: number, reader: RowReader): TupleRecord {
  const seq = reader.whole();
  const expiresAt = reader.number();
  const ticket = reader.optionalText();
  const text = reader.text();
  new TextFields().readTuple(text);
  const resident = new Resident(text);
  resident.row = row;
  resident.seq = seq;
  resident.expiresAt = expiresAt;
  return { resident, ticket };
}
