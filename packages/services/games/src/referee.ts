import { setTimeout as sleep } from "node:timers/promises";
import { type Bus, BusError } from "@quadrant/bus";
import { decodeCommand, type MatchCommand } from "./match/command.ts";
import { type Entry, logName, sha256, subjectOf } from "./match/entry.ts";
import { MatchRecord, RecordReader, RecordShelf } from "./match/record.ts";
import type { Reply } from "./match/reply.ts";
import { rematchOf, rule, seatOfToken } from "./match/ruling.ts";
import { gameNamed } from "./rules/registry.ts";

export interface RefereeOptions {
  /** How many matches it remembers; the others are read from the log again when a command comes. Default 10 000. */
  readonly remembered?: number | undefined;
  /** Its clock, in ms since 1970. Default Date.now. */
  readonly now?: (() => number) | undefined;
}

/** So many commands may wait here; what is more is dropped, and comes again from its sender. */
const longestQueue = 8_192;
/** After this long the log may take an id for a new one, so that nothing is appended again. */
const appendAgainMs = 60_000;
const unclear: ReadonlySet<string> = new Set(["indefinite", "timeout", "unavailable", "overflow"]);

const codeOf = (error: unknown): string => (error instanceof BusError ? error.code : "");

/**
 * Decides commands and appends what they lead to: the only writer of matches. Any number may run: they share the commands, and of
 * two that decide at once the log takes one, upon which the other decides again. What it knows it has from the log.
 */
export async function startReferee(bus: Bus, options: RefereeOptions = {}): Promise<AsyncDisposable> {
  const referee = new Referee(bus, options);
  await referee.start();
  return referee;
}

class Referee implements AsyncDisposable {
  readonly #bus: Bus;
  readonly #now: () => number;
  readonly #reader: RecordReader;
  readonly #shelf: RecordShelf;
  /** The last work of each match that has any: one command of a match after the other. */
  readonly #lines = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  #waiting = 0;
  #receiving: Promise<void> | undefined;

  constructor(bus: Bus, { remembered = 10_000, now = Date.now }: RefereeOptions) {
    if (!Number.isInteger(remembered) || remembered < 1) throw new BusError("invalid", "remembered: 1 or more");
    this.#bus = bus;
    this.#now = now;
    this.#reader = new RecordReader(bus);
    this.#shelf = new RecordShelf(remembered);
  }

  async start(): Promise<void> {
    await this.#bus.log(logName);
    const commands = await this.#bus.subscribe("games.*.*.command", {
      group: "referee",
      buffer: longestQueue,
      signal: this.#stop.signal,
    });
    this.#receiving = (async () => {
      for await (const { subject, data } of commands) this.#receive(subject, data);
    })().catch((error: unknown) => {
      if (!this.#stop.signal.aborted && codeOf(error) !== "closed") process.emitWarning(error as Error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#receiving;
    await Promise.all(this.#lines.values());
  }

  #receive(subject: string, data: unknown): void {
    if (this.#waiting >= longestQueue) return;
    const [, game = "", match = ""] = subject.split(".");
    const decoded = decodeCommand(data);
    if ("refused" in decoded) {
      const { refused: code, message, id, replyTo } = decoded;
      void this.#send(replyTo, { id, ok: false, code, message, version: 0 });
      return;
    }
    this.#waiting += 1;
    const key = subjectOf(game, match);
    const work = (this.#lines.get(key) ?? Promise.resolve())
      .then(() => this.#answer(game, match, decoded.command))
      // Nothing is known of its outcome: the sender asks again.
      .catch((error: unknown) => {
        this.#shelf.delete(key);
        if (!(error instanceof BusError || this.#stop.signal.aborted)) process.emitWarning(error as Error);
      })
      .finally(() => {
        this.#waiting -= 1;
        if (this.#lines.get(key) === work) this.#lines.delete(key);
      });
    this.#lines.set(key, work);
  }

  async #send(replyTo: string | undefined, reply: Reply): Promise<void> {
    if (replyTo === undefined) return;
    await this.#bus.publish(replyTo, reply).catch(() => undefined);
  }

  async #answer(game: string, match: string, command: MatchCommand): Promise<void> {
    if (gameNamed(game) === undefined) {
      const message = `no referee here knows ${game}`;
      return this.#send(command.replyTo, { id: command.id, ok: false, code: "NO_SUCH_GAME", message, version: 0 });
    }
    if (!/^[\w-]{12,64}$/.test(match)) {
      const message = "a match is named by 12 to 64 letters, digits, hyphens, _";
      return this.#send(command.replyTo, { id: command.id, ok: false, code: "MALFORMED", message, version: 0 });
    }
    const record = await this.#recordOf(game, match, command.kind === "create");
    const reply = await this.#decide(record, command);
    if (record.table === undefined) this.#shelf.delete(subjectOf(game, match));
    await this.#send(command.replyTo, reply);
  }

  /** A match that is to be made is not looked for: the log says whether there is one of its name. */
  async #recordOf(game: string, match: string, fresh: boolean): Promise<MatchRecord> {
    const key = subjectOf(game, match);
    const held = this.#shelf.get(key);
    if (held !== undefined) return held;
    const record = new MatchRecord(game, match);
    if (!fresh) await this.#reader.read(record);
    this.#shelf.set(key, record);
    return record;
  }

  async #decide(record: MatchRecord, command: MatchCommand): Promise<Reply> {
    const { id } = command;
    let current = false;
    for (;;) {
      this.#stop.signal.throwIfAborted();
      const ruling = rule(record.table, command, this.#now(), (known) => record.known(known));
      const seat =
        record.table && command.token !== undefined ? (seatOfToken(record.table, command.token) ?? null) : null;
      if ("known" in ruling) return this.#accepted(record, id, ruling.known, command);
      if ("refused" in ruling) {
        // What another referee has taken in may allow it.
        if (current || (await this.#isCurrent(record))) {
          const { refused: code, message } = ruling;
          const view = record.viewAt(record.version, seat);
          return { id, ok: false, code, message, version: record.version, view };
        }
        current = true;
        continue;
      }
      const [fact] = ruling.entry.events;
      if (fact?.kind === "rematch-agreed") await this.#makeRematch(record, fact.next);
      if (await this.#append(record, ruling.entry)) return this.#accepted(record, id, record.version, command);
      current = true;
    }
  }

  #accepted(record: MatchRecord, id: string, version: number, { token }: MatchCommand): Reply {
    const seat = record.table && token !== undefined ? (seatOfToken(record.table, token) ?? null) : null;
    const view = record.viewAt(version, seat);
    if (view === undefined) throw new Error(`version ${version} of ${record.match} is not there`);
    return { id, ok: true, version, view };
  }

  /** false: it was behind the log, and has been brought up to it. */
  async #isCurrent(record: MatchRecord): Promise<boolean> {
    const log = await this.#reader.log();
    const last = await log.last(subjectOf(record.game, record.match));
    if ((last?.seq ?? 0) === record.seq) return true;
    await this.#reader.read(record);
    return false;
  }

  /** false: another was quicker, and its entry has been taken in. Whether an unclear one was stored, the log says. */
  async #append(record: MatchRecord, entry: Entry): Promise<boolean> {
    const log = await this.#reader.log();
    const subject = subjectOf(record.game, record.match);
    const until = performance.now() + appendAgainMs;
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
      try {
        const { seq, duplicate } = await log.append(subject, entry, {
          id: sha256(`${subject} ${entry.id}`),
          expectLast: record.seq,
        });
        if (duplicate) await this.#reader.read(record);
        else record.take(seq, entry);
        return !duplicate;
      } catch (error) {
        if (codeOf(error) === "conflict") {
          await this.#reader.read(record);
          return false;
        }
        // The same again: the log takes its id once, and only where nothing came in between.
        if (!unclear.has(codeOf(error)) || performance.now() > until || this.#stop.signal.aborted) throw error;
        await sleep(pauseMs);
      }
    }
  }

  /** Before both have agreed on it in the log, so that whoever reads of it finds it. Twice is once: its name and content are given. */
  async #makeRematch({ game, match, table }: MatchRecord, next: string): Promise<void> {
    if (table === undefined || next !== rematchOf(match)) throw new Error(`${next} is no rematch of ${match}`);
    const record = await this.#recordOf(game, next, true);
    if (record.table !== undefined) return;
    const { seats, seed, turnMs } = table;
    const entry: Entry = {
      v: 1,
      id: `rematch-${match}`,
      asked: "",
      command: "create",
      version: 1,
      seat: null,
      at: this.#now(),
      events: [{ kind: "created", seed: (seed + 1) | 0, turnMs, seats: [seats[1], seats[0]], rematchOf: match }],
    };
    await this.#append(record, entry);
  }
}
