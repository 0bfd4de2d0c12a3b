import { BusError } from "@quadrant/contract";
import type { Catalog } from "./catalog.ts";
import { type ClaimRecord, readClaim } from "./claims.ts";
import type { Durable } from "./durable.ts";
import { readSegment, type SegmentRecord } from "./event-rows.ts";
import type { Kept } from "./group-commit.ts";
import { type HandedRecord, readHanded } from "./handed.ts";
import { type LetterSpec, readSpec } from "./letter.ts";
import { type LoanRecord, readLoan, type Standing } from "./loan.ts";
import { Log } from "./log.ts";
import type { Queue, RestoredLetter } from "./queue.ts";
import { readQueue } from "./queue-row.ts";
import { RowKind, RowReader } from "./row.ts";
import type { Setting } from "./setting.ts";
import type { Space } from "./space.ts";
import { readSpace } from "./space-row.ts";
import { readTuple, type TupleRecord } from "./tuple-row.ts";

/** What was handed over to somebody who has not come back for it in so long has arrived, or nobody will ever ask. */
const unclaimedMs = 60_000;

/** How much is done in one turn of the event loop. */
const stepsPerTurn = 4_096;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Where what is restored belongs. */
export interface Recovered {
  readonly queues: Catalog<Queue>;
  readonly logs: Catalog<Log>;
  readonly spaces: Catalog<Space>;
}

interface LoanRow extends LoanRecord {
  readonly spec: LetterSpec | undefined;
}

/**
 * Makes an engine from the rows of its journal. Rows are read in the order of their numbers, a thing before what belongs
 * to it; what has an order of its own, or stands on several rows, is put into its place at the end.
 */
export class Recovery {
  readonly #setting: Setting;
  readonly #into: Recovered;
  readonly #queues = new Map<number, Queue>();
  readonly #logs = new Map<number, Log>();
  readonly #durables = new Map<number, Durable>();
  readonly #spaces = new Map<number, Space>();
  /** Of each mailbox, in the order they were sent. */
  readonly #letters = new Map<Queue, Map<number, RestoredLetter>>();
  readonly #loans: LoanRow[] = [];
  readonly #held: { readonly serial: number; readonly restore: () => void }[] = [];
  readonly #tuples = new Map<Space, TupleRecord[]>();
  /** By the row of the tuple. */
  readonly #claims = new Map<number, ClaimRecord>();
  /** By the row of the tuple. */
  readonly #handed = new Map<number, HandedRecord>();
  readonly #events = new Map<Space, SegmentRecord[]>();
  #steps = 0;
  /** Rows that mean nothing any more. */
  readonly #orphans: Kept[] = [];

  constructor(setting: Setting, into: Recovered) {
    this.#setting = setting;
    this.#into = into;
  }

  row(row: number, data: Buffer): void {
    const reader = new RowReader(data);
    switch (reader.kind) {
      case RowKind.identity:
        this.#setting.restore(row, reader);
        return;
      case RowKind.destroyed:
        this.#destroyed(row, reader);
        return;
      case RowKind.queue:
      case RowKind.log:
      case RowKind.space:
        this.#named(row, reader);
        return;
      case RowKind.loan: {
        const loan = readLoan(row, reader);
        this.#loans.push({ ...loan, spec: loan.revived ? readSpec(reader) : undefined });
        return;
      }
      case RowKind.claim: {
        const claim = readClaim(row, reader);
        this.#claims.set(claim.tuple, claim);
        return;
      }
      case RowKind.handed: {
        const handed = readHanded(row, reader);
        this.#handed.set(handed.tuple, handed);
        return;
      }
      default:
        this.#belonging(row, reader);
    }
  }

  /** Returns the rows that are to be removed. */
  async finish(): Promise<readonly Kept[]> {
    await this.#finishLoans();
    for (const [queue, letters] of this.#letters) {
      for (const letter of letters.values()) {
        this.#stand(letter.standing, () => queue.admitRestored(letter));
        if (this.#isLong()) await turn();
      }
    }
    // In the order in which they were lent: leases that end at once end in that.
    this.#held.sort((a, b) => a.serial - b.serial);
    for (const { restore } of this.#held) {
      restore();
      if (this.#isLong()) await turn();
    }
    for (const space of this.#spaces.values()) await this.#finishSpace(space, this.#tuples.get(space) ?? []);
    for (const { row } of this.#claims.values()) this.#orphans.push({ row });
    for (const { row } of this.#handed.values()) this.#orphans.push({ row });
    for (const log of this.#logs.values()) log.watchRestored();
    return this.#orphans;
  }

  /** Whether the rest of the process is to have a turn. */
  #isLong(): boolean {
    return ++this.#steps % stepsPerTurn === 0;
  }

  #stand({ token }: Standing, restore: () => void): void {
    if (token === "") restore();
    else this.#held.push({ serial: this.#setting.serialOf(token), restore });
  }

  #destroyed(row: number, reader: RowReader): void {
    const kind = reader.text();
    const { queues, logs, spaces } = this.#into;
    const catalog = [queues, logs, spaces].find((each) => each.kind === kind);
    catalog?.restoreDestroyed(row, reader.text());
  }

  #named(row: number, reader: RowReader): void {
    if (reader.kind === RowKind.queue) {
      const queue = readQueue(this.#setting, reader);
      queue.row = row;
      this.#queues.set(row, queue);
      this.#into.queues.restore(queue.address, queue);
    } else if (reader.kind === RowKind.log) {
      const log = Log.restore(this.#setting, row, reader);
      this.#logs.set(row, log);
      this.#into.logs.restore(log.name, log);
    } else {
      const space = readSpace(this.#setting, reader);
      space.row = row;
      this.#spaces.set(row, space);
      this.#into.spaces.restore(space.name, space);
    }
  }

  /** What belongs to a thing names its row first. */
  #belonging(row: number, reader: RowReader): void {
    const home = reader.whole();
    const queue = this.#queues.get(home);
    const log = this.#logs.get(home);
    const space = this.#spaces.get(home);
    const { kind } = reader;
    if (kind === RowKind.letter && queue !== undefined) this.#letter(row, queue, reader);
    else if (kind === RowKind.entry && log !== undefined) log.restoreEntry(row, reader);
    else if (kind === RowKind.durable && log !== undefined) this.#durables.set(row, log.restoreDurable(row, reader));
    else if (kind === RowKind.dead) this.#dead(row, home, reader);
    else if (kind === RowKind.id) this.#id(row, home, reader);
    else if (kind === RowKind.tuple && space !== undefined) {
      const tuples = this.#tuples.get(space);
      const tuple = readTuple(row, reader);
      if (tuples === undefined) this.#tuples.set(space, [tuple]);
      else tuples.push(tuple);
    } else if (kind === RowKind.events && space !== undefined) {
      const events = this.#events.get(space);
      const segment = readSegment(row, reader);
      if (events === undefined) this.#events.set(space, [segment]);
      else events.push(segment);
    } else throw new BusError("unavailable", `the journal holds a row of kind ${kind} that belongs to nothing`);
  }

  #letter(row: number, queue: Queue, reader: RowReader): void {
    let letters = this.#letters.get(queue);
    if (letters === undefined) {
      letters = new Map();
      this.#letters.set(queue, letters);
    }
    letters.set(row, queue.restore(row, reader));
  }

  #dead(row: number, home: number, reader: RowReader): void {
    const ledger = (this.#queues.get(home) ?? this.#durables.get(home))?.ledger;
    if (ledger === undefined)
      throw new BusError("unavailable", "the journal holds a dead letter that belongs to nothing");
    ledger.dead.restore(row, reader);
  }

  #id(row: number, home: number, reader: RowReader): void {
    const id = reader.text();
    const value = reader.number();
    const time = reader.number();
    this.#queues.get(home)?.restoreId(row, id, time);
    this.#logs.get(home)?.restoreId(row, id, value, time);
  }

  /** Letters that were lent are put back where they stood; those left over were never lent. */
  async #finishLoans(): Promise<void> {
    for (const loan of this.#loans) {
      if (this.#isLong()) await turn();
      const queue = this.#queues.get(loan.home);
      const letters = queue === undefined ? undefined : this.#letters.get(queue);
      const letter = letters?.get(loan.letter);
      if (queue !== undefined && letters !== undefined && letter !== undefined) {
        letters.delete(loan.letter);
        this.#stand(loan, () => queue.lendRestored(letter.letter, loan, loan.row));
        continue;
      }
      const durable = this.#durables.get(loan.home);
      if (durable?.holds(loan) === true) this.#stand(loan, () => durable.restoreLoan(loan, loan.spec));
      else this.#orphans.push({ row: loan.row });
    }
  }

  async #finishSpace(space: Space, tuples: TupleRecord[]): Promise<void> {
    tuples.sort((a, b) => a.resident.seq - b.resident.seq);
    const rows = new Map(tuples.map(({ resident }) => [resident.row, resident]));
    const formerly = new Set(tuples.filter(({ ticket }) => ticket !== undefined).map(({ resident }) => resident.row));
    const segments = (this.#events.get(space) ?? []).sort((a, b) => a.first - b.first);
    const isHeld = (row: number): boolean => this.#handed.has(row) || formerly.has(row) || this.#claims.has(row);
    const { gone, orphans } = space.history.restore(segments, rows, isHeld);
    this.#orphans.push(...orphans);
    for (const tuple of tuples) {
      const { row } = tuple.resident;
      if (gone.has(row)) continue;
      space.restoreTuple(tuple, this.#handed.get(row), this.#claims.get(row));
      this.#handed.delete(row);
      this.#claims.delete(row);
      if (this.#isLong()) await turn();
    }
    space.forgetUnclaimed(unclaimedMs);
  }
}
