import { type Bus, BusError, callContext } from "@quadrant/bus";
import { untilStopped } from "./consumers/running.ts";
import type { Seat } from "./game.ts";
import { subjectOf } from "./match/entry.ts";
import { readLog } from "./match/log-reading.ts";
import { MatchRecord, RecordReader, RecordShelf, type Step } from "./match/record.ts";
import { seatOfToken } from "./match/ruling.ts";
import { type MatchView, stateOf } from "./match/table.ts";

export const viewsAddress = "games.views";

export interface MatchSummary {
  readonly match: string;
  readonly game: string;
  readonly state: MatchView["state"];
  readonly names: readonly [string | null, string | null];
  readonly version: number;
  /** Of the last step, ms since 1970. */
  readonly at: number;
  readonly result?: string | undefined;
}

export interface MatchState {
  readonly match: string;
  readonly game: string;
  /** Of the token; null for a spectator. */
  readonly seat: Seat | null;
  readonly version: number;
  readonly view: MatchView;
}

/** What is served at `games.views`. A token that has no seat is "denied", a match that is not there is "invalid". */
export interface Views {
  state(of: { readonly match: string; readonly token?: string | undefined }): Promise<MatchState | null>;
  /**
   * Steps from that version on, then live; null is a sign of life. It ends with the last step of a match that has ended, or with
   * `beyond`, when a rematch is agreed.
   */
  follow(of: {
    readonly match: string;
    readonly token?: string | undefined;
    readonly from?: number | undefined;
    readonly beyond?: boolean | undefined;
  }): AsyncIterable<Step | null>;
  /** The latest first, at most 1 000; 100 unless told. */
  list(of: {
    readonly game?: string | undefined;
    readonly state?: MatchView["state"] | undefined;
    readonly limit?: number | undefined;
  }): Promise<readonly MatchSummary[]>;
}

/** Between two signs of life. */
export const signOfLifeMs = 1_000;
const longestList = 1_000;

export interface ViewsOptions {
  /** How many matches are held at least; what is older is read from the log again. Default 10 000. */
  readonly remembered?: number | undefined;
}

/** Shows matches as each seat, or a spectator, may see them. Any number may run; each reads the log once for all its watchers. */
export async function startViews(bus: Bus, { remembered = 10_000 }: ViewsOptions = {}): Promise<AsyncDisposable> {
  const gallery = new Gallery(bus, remembered);
  const reading = untilStopped((signal) => gallery.read(signal));
  const server = await bus.serve<Views>(viewsAddress, {
    state: (of) => gallery.state(of),
    follow: (of) => gallery.follow(of),
    list: (of) => gallery.list(of),
  });
  return {
    async [Symbol.asyncDispose]() {
      gallery.close();
      await server[Symbol.asyncDispose]();
      await reading[Symbol.asyncDispose]();
    },
  };
}

class Gallery {
  readonly #bus: Bus;
  readonly #reader: RecordReader;
  /** By the match's name. */
  readonly #shelf: RecordShelf;
  /** Matches with somebody who watches, or waits for the first entry. */
  readonly #watched = new Map<string, { record: MatchRecord | undefined; readonly wake: Set<() => void> }>();
  readonly #ready = Promise.withResolvers<void>();
  #closed = false;

  constructor(bus: Bus, remembered: number) {
    this.#bus = bus;
    this.#reader = new RecordReader(bus);
    this.#shelf = new RecordShelf(remembered);
  }

  close(): void {
    this.#closed = true;
    for (const { wake } of this.#watched.values()) for (const one of wake) one();
    this.#ready.resolve();
  }

  /** The log from its beginning, then live. Anew from there should it fail: what is known is passed over. */
  async read(signal: AbortSignal): Promise<void> {
    const ready = (): void => this.#ready.resolve();
    for await (const { seq, game, match, entry } of readLog(this.#bus, signal, ready)) {
      const held = this.#watched.get(match)?.record ?? this.#shelf.get(match);
      // A match from its first entry on; what has left the shelf since is read again when it is asked for.
      const record = held ?? (entry.events[0]?.kind === "created" ? new MatchRecord(game, match) : undefined);
      if (record === undefined || record.game !== game) continue;
      if (!record.take(seq, entry)) await this.#reader.read(record);
      if (held === undefined) this.#shelf.set(match, record);
      const watched = this.#watched.get(match);
      if (watched === undefined) continue;
      watched.record ??= record;
      for (const wake of watched.wake) wake();
    }
  }

  async #recordOf(match: unknown): Promise<MatchRecord | undefined> {
    if (typeof match !== "string" || !/^[\w-]{1,64}$/.test(match)) throw new BusError("invalid", "match: its name");
    await this.#ready.promise;
    const held = this.#watched.get(match)?.record ?? this.#shelf.get(match);
    if (held !== undefined) {
      // The live reading may be a moment behind what its reader has heard from the referee.
      const log = await this.#reader.log();
      const last = await log.last(subjectOf(held.game, match));
      if ((last?.seq ?? 0) > held.seq) await this.#reader.read(held);
      return held;
    }
    const found = await this.#reader.find(match);
    // Another call may have found it meanwhile, and then all use that one.
    const known = this.#watched.get(match)?.record ?? this.#shelf.get(match);
    if (known === undefined && found !== undefined) this.#shelf.set(match, found);
    return known ?? found;
  }

  async state({ match, token }: Parameters<Views["state"]>[0]): Promise<MatchState | null> {
    const record = await this.#recordOf(match);
    if (record === undefined) return null;
    const seat = seatWith(record, token);
    const view = record.viewAt(record.version, seat);
    if (view === undefined) return null;
    return { match, game: record.game, seat, version: record.version, view };
  }

  async *follow({
    match,
    token,
    from = 1,
    beyond = false,
  }: Parameters<Views["follow"]>[0]): AsyncGenerator<Step | null> {
    if (!Number.isSafeInteger(from) || from < 1) throw new BusError("invalid", "from: a version, 1 or more");
    const signal = callContext()?.signal;
    const record = await this.#recordOf(match);
    if (record?.table === undefined) throw new BusError("invalid", `there is no match ${match}`);
    const seat = seatWith(record, token);
    const watched = this.#watched.get(match) ?? { record, wake: new Set() };
    this.#watched.set(match, watched);
    const watcher = new Watcher();
    watched.wake.add(watcher.wake);
    // One record for all who watch, whichever of two readings came first.
    watched.record ??= record;
    const shared = watched.record;
    signal?.addEventListener("abort", watcher.wake);
    try {
      for (let version = from; !this.#closed && signal?.aborted !== true; ) {
        const step = shared.step(version, seat);
        if (step !== undefined) {
          yield step;
          version += 1;
          continue;
        }
        const { table } = shared;
        if (table?.result !== undefined && (!beyond || table.next !== undefined)) return;
        if (!(await watcher.wait(signOfLifeMs))) yield null;
      }
    } finally {
      signal?.removeEventListener("abort", watcher.wake);
      watched.wake.delete(watcher.wake);
      if (watched.wake.size === 0 && this.#watched.get(match) === watched) {
        this.#watched.delete(match);
        this.#shelf.set(match, shared);
      }
    }
    // Not the match's end: whoever follows goes on with another server.
    throw new BusError("unavailable", "this server of views is closing");
  }

  async list({ game, state, limit = 100 }: Parameters<Views["list"]>[0]): Promise<readonly MatchSummary[]> {
    if (!Number.isInteger(limit) || limit < 1 || limit > longestList) {
      throw new BusError("invalid", `limit: 1 to ${longestList}`);
    }
    await this.#ready.promise;
    const found: MatchSummary[] = [];
    for (const record of this.#shelf.values()) {
      const { table } = record;
      if (table === undefined || (game !== undefined && record.game !== game)) continue;
      if (state !== undefined && stateOf(table) !== state) continue;
      found.push(summaryOf(record));
    }
    return found.sort((a, b) => b.at - a.at).slice(0, limit);
  }
}

function summaryOf({ match, game, table, version }: MatchRecord): MatchSummary {
  if (table === undefined) throw new Error(`${match} has no entry`);
  const names = [table.seats[0]?.name ?? null, table.seats[1]?.name ?? null] as const;
  const { result, at } = table;
  const winner = result?.winner ?? null;
  const text = result?.by === "cancelled" ? "cancelled" : winner === null ? "a draw" : `${names[winner]} won`;
  return { match, game, state: stateOf(table), names, version, at, result: result === undefined ? undefined : text };
}

function seatWith({ table }: MatchRecord, token: unknown): Seat | null {
  if (token === undefined || token === null) return null;
  const seat = table === undefined || typeof token !== "string" ? undefined : seatOfToken(table, token);
  if (seat === undefined) throw new BusError("denied", "this token has no seat in the match");
  return seat;
}

class Watcher {
  #woken = false;
  #waiting: (() => void) | undefined;

  readonly wake = (): void => {
    this.#woken = true;
    this.#waiting?.();
  };

  /** false where nothing woke it in that time. */
  async wait(ms: number): Promise<boolean> {
    if (!this.#woken) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms);
      this.#waiting = resolve;
      await promise;
      clearTimeout(timer);
      this.#waiting = undefined;
    }
    const woken = this.#woken;
    this.#woken = false;
    return woken;
  }
}
