import type { Letter } from "./letter.ts";
import type { LetterHome } from "./letter-home.ts";
import { encodeLoan, Loan } from "./loan.ts";
import type { RowWriter } from "./row.ts";
import type { Setting } from "./setting.ts";

/** Keeps where the letters of a ledger stand, each with the letter or on a row beside it. */
export class LoanRows {
  readonly #setting: Setting;
  readonly #home: LetterHome;

  constructor(setting: Setting, home: LetterHome) {
    this.#setting = setting;
    this.#home = home;
  }

  keep(letter: Letter): void {
    const { commits } = this.#setting;
    if (commits === undefined || this.#home.keep(letter)) return;
    letter.loan ??= new Loan(letter, this.#home);
    commits.put(letter.loan, this.#encode);
  }

  forget(letter: Letter): void {
    if (letter.loan === undefined) return;
    this.#setting.commits?.drop(letter.loan);
    letter.loan = undefined;
  }

  /** It was kept on that row. */
  restore(letter: Letter, row: number): void {
    letter.loan = new Loan(letter, this.#home, row);
  }

  readonly #encode = (loan: Loan, rows: RowWriter): void => encodeLoan(loan, this.#setting, rows);
}
