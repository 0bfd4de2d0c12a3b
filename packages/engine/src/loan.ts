import type { Kept } from "./group-commit.ts";
import { encodeLetter, type Letter } from "./letter.ts";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";
import type { Setting } from "./setting.ts";

/** What is kept of where a letter stands: apart from the letter, since it changes with every loan. */
export class Loan implements Kept {
  row: number;
  readonly letter: Letter;
  /** The mailbox or durable that lends it. */
  readonly home: Kept;

  constructor(letter: Letter, home: Kept, row: number = 0) {
    this.row = row;
    this.letter = letter;
    this.home = home;
  }
}

/** Where a letter stands. */
export interface Standing {
  readonly attempt: number;
  /** Of the lease, or of the delay. */
  readonly until: number | undefined;
  /** "" where the letter is not held. */
  readonly token: string;
}

export function encodeStanding(letter: Letter, setting: Setting, rows: RowWriter): RowWriter {
  const isHeld = letter.state === "held";
  const until = isHeld || letter.state === "delayed" ? letter.until : undefined;
  return rows
    .number(letter.attempt)
    .optionalNumber(until)
    .text(isHeld ? setting.token(letter.serial) : "");
}

export function readStanding(reader: RowReader): Standing {
  return { attempt: reader.number(), until: reader.optionalNumber(), token: reader.text() };
}

/** A loan as it is kept. */
export interface LoanRecord extends Standing {
  readonly row: number;
  /** The row of its mailbox or durable. */
  readonly home: number;
  /** The row of its letter; 0 for an entry of a log, which is found by its order. */
  readonly letter: number;
  readonly order: number;
  /** Whether the letter itself follows: that of a durable whose log may no longer hold it. */
  readonly revived: boolean;
}

export function encodeLoan({ row, letter, home }: Loan, setting: Setting, rows: RowWriter): void {
  rows.begin(row, RowKind.loan).whole(home.row).whole(letter.row).number(letter.order);
  encodeStanding(letter, setting, rows).number(letter.revived ? 1 : 0);
  if (letter.revived) encodeLetter(letter, rows);
  rows.end();
}

/** Of a revived letter, `reader` goes on with the letter itself. */
export function readLoan(row: number, reader: RowReader): LoanRecord {
  const home = reader.whole();
  const letter = reader.whole();
  const order = reader.number();
  return { row, home, letter, order, ...readStanding(reader), revived: reader.number() === 1 };
}
