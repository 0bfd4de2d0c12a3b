import type { Bus, Log } from "@quadrant/bus";
import type { Seat } from "../game.ts";
import { type Entry, logName, readEntry, readSubject, subjectOf } from "./entry.ts";
import { evolveTable, type MatchView, redacted, type StepEvent, type Table, viewOf } from "./table.ts";

/** One accepted command of a match, as a seat or a spectator may see it; versions count from 1 without a gap. */
export interface Step {
  readonly match: string;
  readonly game: string;
  readonly version: number;
  /** The referee's clock, ms since 1970. */
  readonly at: number;
  readonly events: readonly StepEvent[];
  /** The match after it. */
  readonly view: MatchView;
}

/** All entries of one match, as far as they have been read. */
export class MatchRecord {
  readonly game: string;
  readonly match: string;
  table: Table | undefined;
  /** Of the last entry in the log; 0 where there is none. */
  seq = 0;
  readonly #tables: Table[] = [];
  readonly #entries: Entry[] = [];
  readonly #ids = new Map<string, { readonly version: number; readonly asked: string }>();
  /** The cells of the boards that it holds, one a version: about what it takes of memory. */
  cells = 0;

  constructor(game: string, match: string) {
    this.game = game;
    this.match = match;
  }

  get version(): number {
    return this.#entries.length;
  }

  /**
   * Takes in what comes next; what it has already, or what is no entry, changes nothing. false where entries before it are
   * missing: it is to be read.
   */
  take(seq: number, data: unknown): boolean {
    if (seq <= this.seq) return true;
    const entry = readEntry(data);
    if (entry !== undefined && entry.version > this.version + 1) return false;
    this.seq = seq;
    if (entry === undefined || entry.version <= this.version) return true;
    const after = evolveTable(this.table, entry, this.game, this.match);
    if (after === undefined) return true;
    this.table = after;
    this.#tables.push(after);
    const { board } = after.play;
    this.cells += Array.isArray(board) ? board.length : 64;
    this.#entries.push(entry);
    this.#ids.set(entry.id, { version: after.version, asked: entry.asked });
    return true;
  }

  /** Under which version a command was accepted. */
  known(id: string): { readonly version: number; readonly asked: string } | undefined {
    return this.#ids.get(id);
  }

  /** The match as it was at a version. */
  viewAt(version: number, seat: Seat | null): MatchView | undefined {
    const table = this.#tables[version - 1];
    return table === undefined ? undefined : viewOf(table, seat);
  }

  step(version: number, seat: Seat | null): Step | undefined {
    const entry = this.#entries[version - 1];
    const table = this.#tables[version - 1];
    if (entry === undefined || table === undefined) return undefined;
    const events = entry.events.map((fact) => redacted(table.game, fact, seat));
    return { match: this.match, game: this.game, version, at: entry.at, events, view: viewOf(table, seat) };
  }
}

interface Wanted {
  readonly record: MatchRecord;
  readonly loaded: PromiseWithResolvers<void>;
}

/** Brings records up to the log. Those that are asked for while a reading goes on are read together, in one pass. */
export class RecordReader {
  readonly #bus: Bus;
  #log: Log<unknown> | undefined;
  #wanted: Wanted[] = [];
  #reading = false;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  async log(): Promise<Log<unknown>> {
    this.#log ??= await this.#bus.log<unknown>(logName);
    return this.#log;
  }

  /** Resolves when the record holds all that was in the log when this was called. */
  read(record: MatchRecord): Promise<void> {
    const loaded = Promise.withResolvers<void>();
    this.#wanted.push({ record, loaded });
    if (!this.#reading) void this.#readAll();
    return loaded.promise;
  }

  async #readAll(): Promise<void> {
    this.#reading = true;
    await undefined;
    while (this.#wanted.length > 0) {
      const wanted = this.#wanted;
      this.#wanted = [];
      try {
        await this.#pass(wanted.map(({ record }) => record));
        for (const { loaded } of wanted) loaded.resolve();
      } catch (error) {
        for (const { loaded } of wanted) loaded.reject(error);
      }
    }
    this.#reading = false;
  }

  async #pass(records: readonly MatchRecord[]): Promise<void> {
    const log = await this.log();
    const bySubject = Map.groupBy(records, ({ game, match }) => subjectOf(game, match));
    const filter = bySubject.size === 1 ? [...bySubject.keys()][0] : undefined;
    const known = Math.min(...records.map(({ seq }) => seq));
    // Its own last entry is there to begin at; "first" where it has none.
    const from = known === 0 ? "first" : { seq: known };
    for await (const { seq, subject, data } of log.read({ from, filter, to: "end" })) {
      for (const record of bySubject.get(subject) ?? []) record.take(seq, data);
    }
  }

  /** A match of any game by its name; undefined where there is none. */
  async find(match: string): Promise<MatchRecord | undefined> {
    const log = await this.log();
    let record: MatchRecord | undefined;
    for await (const { seq, subject, data } of log.read({ from: "first", filter: `games.*.${match}`, to: "end" })) {
      const game = readSubject(subject)?.game;
      if (game === undefined) continue;
      record ??= new MatchRecord(game, match);
      if (record.game === game) record.take(seq, data);
    }
    return record?.table === undefined ? undefined : record;
  }
}

/** Of all records on a shelf: a long match on a large board is as much as thousands of others. */
const mostCells = 16_000_000;

interface Shelved {
  readonly record: MatchRecord;
  /** When it was used last: it may have grown since. */
  readonly cells: number;
}

/** Keeps the records that were used last, so many and of so many cells. */
export class RecordShelf {
  readonly #records = new Map<string, Shelved>();
  readonly #limit: number;
  readonly #mostCells: number;
  #cells = 0;

  constructor(limit: number, cells: number = mostCells) {
    this.#limit = limit;
    this.#mostCells = cells;
  }

  get(key: string): MatchRecord | undefined {
    const record = this.#records.get(key)?.record;
    if (record !== undefined) this.set(key, record);
    return record;
  }

  set(key: string, record: MatchRecord): void {
    this.delete(key);
    const { cells } = record;
    this.#records.set(key, { record, cells });
    this.#cells += cells;
    for (const oldest of this.#records.keys()) {
      if (oldest === key || (this.#records.size <= this.#limit && this.#cells <= this.#mostCells)) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#cells -= this.#records.get(key)?.cells ?? 0;
    this.#records.delete(key);
  }

  *values(): Generator<MatchRecord> {
    for (const { record } of this.#records.values()) yield record;
  }
}
