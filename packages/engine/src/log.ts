import type {
  AppendRequest,
  BusError,
  DurableSpec,
  LogInfo,
  LogLimits,
  LogPage,
  LogReadRequest,
  Start,
  StoredEntry,
} from "@quadrant/contract";
import { assertSame } from "./catalog.ts";
import { Chain, type Link } from "./chain.ts";
import { DedupeWindow } from "./dedupe-window.ts";
import { Durable, encodeDurable, readDurable } from "./durable.ts";
import { Entries, sizeOf } from "./entries.ts";
import { compileFilter, type Filter } from "./filter.ts";
import type { Kept } from "./group-commit.ts";
import type { Owner } from "./owner.ts";
import { Pending } from "./pending.ts";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";
import type { Setting } from "./setting.ts";
import type { Timer } from "./timer-heap.ts";

/** How many entries a read looks at before it lets others have a turn. */
const scanAtOnce = 20_000;

/** A read that waits for the next entry it wants. */
interface Follower {
  readonly from: number;
  readonly wants: Filter;
  readonly pending: Pending<LogPage>;
}

/** One log: entries in one total order, numbered from 1 without gaps, the oldest going as its limits say. */
export class Log implements Kept {
  row = 0;
  readonly name: string;
  readonly durables: Map<string, Durable> = new Map();
  readonly #setting: Setting;
  readonly limits: LogLimits;
  readonly #entries: Entries;
  readonly #ids: DedupeWindow<number>;
  readonly #followers = new Chain<Follower>();
  #oldest: Timer | undefined;
  #destroyed: BusError | undefined;

  constructor(setting: Setting, name: string, limits: LogLimits) {
    this.#setting = setting;
    this.name = name;
    this.limits = { maxAgeMs: limits.maxAgeMs, maxBytes: limits.maxBytes, maxMessages: limits.maxMessages };
    this.#entries = new Entries(setting.commits, this);
    this.#ids = new DedupeWindow(setting, this);
  }

  get followers(): number {
    return this.#followers.size;
  }

  assertSame(limits: LogLimits): void {
    assertSame(this.#setting, `the log ${this.name}`, this.limits, limits);
  }

  append(request: AppendRequest): { readonly seq: number; readonly duplicate: boolean } {
    const { id, expectLast, subject, headers, contentType, body } = request;
    // Before the expectation: who repeats an append has changed what it expected by the first.
    const known = id === undefined ? undefined : this.#ids.find(id);
    if (known !== undefined) return { seq: known, duplicate: true };
    this.#assertLast(subject, expectLast);
    const envelope = { subject, headers, contentType, body };
    const place = { seq: this.#entries.last + 1, time: this.#setting.stamp() };
    const entry: StoredEntry = id === undefined ? { ...envelope, ...place } : { ...envelope, ...place, id };
    this.#assertFits(entry);
    this.#setting.commits?.reserve(sizeOf(entry));
    this.#entries.append(entry);
    if (id !== undefined) this.#ids.add(id, entry.seq);
    for (const { from, wants, pending } of this.#followers) {
      if (entry.seq >= from && wants(subject)) pending.resolve({ entries: [entry], next: entry.seq + 1 });
    }
    for (const durable of this.durables.values()) durable.ledger.dispatch();
    this.#trim();
    return { seq: entry.seq, duplicate: false };
  }

  read(owner: Owner, request: LogReadRequest): LogPage | Promise<LogPage> {
    const from = this.#start(request.from);
    return this.#read(owner, request, compileFilter(request.filter), from);
  }

  last(subject: string): StoredEntry | undefined {
    return this.#entries.lastOf(subject);
  }

  info(): LogInfo {
    const { first, last, count, bytes } = this.#entries;
    return { first, last, count, bytes };
  }

  openDurable(spec: DurableSpec): { readonly leaseMs: number } {
    let durable = this.durables.get(spec.durable);
    if (durable !== undefined) durable.assertSame(spec);
    else {
      durable = new Durable(this.#setting, this, this.#entries, spec, this.#start(spec.from ?? "new"));
      this.durables.set(spec.durable, durable);
      this.#setting.commits?.put(durable, encodeDurable);
    }
    return { leaseMs: durable.terms.leaseMs };
  }

  durable(name: string): Durable {
    const durable = this.durables.get(name);
    if (durable !== undefined) return durable;
    throw this.#setting.fault("conflict", `the log ${this.name} has no durable ${name}: subscribe to make it`);
  }

  destroy(error: BusError): void {
    this.#destroyed = error;
    this.#setting.timers.cancel(this.#oldest);
    this.#entries.clear();
    this.#ids.clear();
    for (const { pending } of this.#followers) pending.end(error);
    for (const durable of this.durables.values()) {
      durable.ledger.destroy(error);
      this.#setting.commits?.drop(durable);
    }
  }

  #read(owner: Owner, request: LogReadRequest, wants: Filter, from: number): LogPage | Promise<LogPage> {
    const entries: StoredEntry[] = [];
    const end = from + scanAtOnce;
    let next = from;
    for (; next <= this.#entries.last && next < end && entries.length < request.max; next++) {
      const entry = this.#entries.at(next)!;
      if (wants(entry.subject)) entries.push(entry);
    }
    if (entries.length > 0 || request.signal?.aborted) return { entries, next };
    if (next <= this.#entries.last) return this.#readOn(owner, request, wants, next);
    return request.follow ? this.#follow(owner, request, wants, next) : { entries, next };
  }

  async #readOn(owner: Owner, request: LogReadRequest, wants: Filter, from: number): Promise<LogPage> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#destroyed !== undefined) throw this.#destroyed;
    return await owner.durably(() => this.#read(owner, request, wants, this.#start({ seq: from })));
  }

  #follow(owner: Owner, { signal }: LogReadRequest, wants: Filter, from: number): Promise<LogPage> {
    let link: Link<Follower> | undefined;
    const pending = new Pending<LogPage>(this.#setting, owner, {
      what: `a read of the log ${this.name}`,
      signal,
      onAbort: () => ({ entries: [], next: Math.max(from, this.#entries.last + 1) }),
      onEnd: () => link?.leave(),
    });
    link = this.#followers.append({ from, wants, pending });
    return pending.promise;
  }

  #start(from: Start): number {
    const { first, last } = this.#entries;
    if (from === "first") return first;
    if (from === "new") return last + 1;
    if ("time" in from) return this.#entries.firstSince(from.time.getTime());
    if (from.seq < 1 || from.seq >= first) return Math.max(from.seq, first);
    throw this.#setting.fault(
      "gap",
      `the log ${this.name} no longer holds ${from.seq}: its first entry is ${first}; read from "first" to go on`,
    );
  }

  #assertLast(subject: string, expected: number | undefined): void {
    if (expected === undefined) return;
    const last = this.#entries.lastOf(subject)?.seq ?? 0;
    if (last === expected) return;
    throw this.#setting.fault(
      "conflict",
      `the last entry of ${subject} in the log ${this.name} is ${last}, not ${expected}: read it, decide again, and append with expectLast ${last}`,
    );
  }

  #assertFits(entry: StoredEntry): void {
    const { maxBytes } = this.limits;
    if (maxBytes === undefined || sizeOf(entry) <= maxBytes) return;
    throw this.#setting.fault(
      "too-large",
      `an entry of ${sizeOf(entry)} bytes does not fit into the log ${this.name}: maxBytes is ${maxBytes}`,
    );
  }

  /** The oldest entries go as far as the limits ask; looks again when the first that is left is too old. */
  #trim(): void {
    const { maxAgeMs = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = this.limits;
    const { maxMessages = Number.POSITIVE_INFINITY } = this.limits;
    const entries = this.#entries;
    const { first } = entries;
    while (entries.count > maxMessages || entries.bytes > maxBytes) entries.dropFirst();
    this.#trimAge(maxAgeMs);
    if (entries.first !== first) this.#setting.commits?.put(this, encodeLog);
  }

  #trimAge(maxAgeMs: number): void {
    const entries = this.#entries;
    if (maxAgeMs === Number.POSITIVE_INFINITY) return;
    const oldest = this.#setting.now() - maxAgeMs;
    for (let entry = entries.at(entries.first); entry !== undefined; entry = entries.at(entries.first)) {
      if (entry.time > oldest) {
        this.#watch(entry.time + maxAgeMs);
        return;
      }
      entries.dropFirst();
    }
  }

  #watch(at: number): void {
    if (this.#oldest === undefined) this.#oldest = this.#setting.timers.add(at, () => this.#trim());
    else this.#setting.timers.move(this.#oldest, at);
  }

  // ---- what outlives the engine

  /** The sequence of the first entry held, or of the next where none is. */
  get first(): number {
    return this.#entries.first;
  }

  restoreEntry(row: number, reader: RowReader): void {
    this.#entries.restore(row, reader);
  }

  restoreDurable(row: number, reader: RowReader): Durable {
    const durable = readDurable(this.#setting, this, this.#entries, reader);
    durable.row = row;
    this.durables.set(durable.name, durable);
    return durable;
  }

  restoreId(row: number, id: string, seq: number, time: number): void {
    this.#ids.restore(row, id, seq, time);
  }

  /** After all entries are restored: those whose time has come go. */
  watchRestored(): void {
    this.#trim();
  }

  static restore(setting: Setting, row: number, reader: RowReader): Log {
    const name = reader.text();
    const limits = {
      maxAgeMs: reader.optionalNumber(),
      maxBytes: reader.optionalNumber(),
      maxMessages: reader.optionalNumber(),
    };
    const log = new Log(setting, name, limits);
    log.row = row;
    log.#entries.begin(reader.number());
    return log;
  }
}

export function encodeLog({ row, name, limits, first }: Log, rows: RowWriter): void {
  rows.begin(row, RowKind.log).text(name).optionalNumber(limits.maxAgeMs).optionalNumber(limits.maxBytes);
  rows.optionalNumber(limits.maxMessages).number(first).end();
}
