import type { DeadRecord, Failure, RedriveRequest } from "@quadrant/contract";
import { Chain } from "./chain.ts";
import type { Kept } from "./group-commit.ts";
import { encodeLetter, type Letter, letterOf, readSpec } from "./letter.ts";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";
import type { Setting } from "./setting.ts";

interface Dead extends Kept {
  readonly letter: Letter;
  readonly diedAt: number;
  readonly failure: Failure;
}

/** Letters that nobody could handle, in the order they died. They are messages, so nothing but a redrive removes them. */
export class DeadLetters {
  readonly #setting: Setting;
  /** Whose dead they are. */
  readonly #home: Kept;
  readonly #dead = new Chain<Dead>();

  constructor(setting: Setting, home: Kept) {
    this.#setting = setting;
    this.#home = home;
  }

  get size(): number {
    return this.#dead.size;
  }

  add(letter: Letter, diedAt: number, failure: Failure): void {
    const dead = { row: 0, letter, diedAt, failure };
    this.#dead.append(dead);
    this.#setting.commits?.put(dead, this.#encode);
  }

  /** One that was dead when the engine ended. */
  restore(row: number, reader: RowReader): void {
    const diedAt = reader.number();
    const failure = { code: reader.text(), message: reader.text() };
    const order = reader.number();
    const attempt = reader.number();
    const key = reader.optionalText();
    const letter = letterOf(readSpec(reader), order);
    if (key !== undefined) letter.peculiarities().key = key;
    letter.attempt = attempt;
    letter.state = "gone";
    this.#dead.append({ row, letter, diedAt, failure });
  }

  /** Their mailbox or durable is no more. */
  clear(): void {
    for (const dead of this.#dead) this.#setting.commits?.drop(dead);
  }

  /** The oldest, at most so many. */
  list(limit: number): DeadRecord[] {
    const records: DeadRecord[] = [];
    for (const { letter, diedAt, failure } of this.#dead) {
      if (records.length >= limit) break;
      records.push({ ...letter.peeked(), diedAt, failure });
    }
    return records;
  }

  /** Removes what is to live again, the oldest first. */
  revive({ ids, limit = Number.POSITIVE_INFINITY }: RedriveRequest): Letter[] {
    const wanted = ids === undefined ? undefined : new Set(ids);
    const revived: Letter[] = [];
    for (let link = this.#dead.first; link !== undefined && revived.length < limit; ) {
      const { next, value } = link;
      if (wanted === undefined || wanted.has(value.letter.content.id)) {
        this.#dead.remove(link);
        this.#setting.commits?.drop(value);
        revived.push(value.letter);
      }
      link = next;
    }
    return revived;
  }

  readonly #encode = ({ row, letter, diedAt, failure }: Dead, rows: RowWriter): void => {
    rows.begin(row, RowKind.dead).whole(this.#home.row).number(diedAt).text(failure.code).text(failure.message);
    rows.number(letter.order).number(letter.attempt).optionalText(letter.key);
    encodeLetter(letter, rows).end();
  };
}
