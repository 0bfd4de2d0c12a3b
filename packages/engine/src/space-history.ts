import type { BusError, CompiledTemplate, TupleEvent, WatchPage, WatchRequest } from "@quadrant/contract";
import { Chain, type Link } from "./chain.ts";
import { EventRing, eventKinds } from "./event-ring.ts";
import { EventRows, type SegmentRecord } from "./event-rows.ts";
import type { Kept } from "./group-commit.ts";
import type { Owner } from "./owner.ts";
import { Pending } from "./pending.ts";
import type { Resident } from "./resident.ts";
import type { Setting } from "./setting.ts";

const [outCode, inCode, expireCode, returnCode] = [0, 1, 2, 3] as const;

/** So many events are held for those who follow, whatever `history` says. */
const slack = 1_024;
/** What the tuples of all events held have together at most, in characters: larger ones shorten the history. */
export const maxHistoryLength: number = 16 * 1024 * 1024;
/** How many events one page looks at, and what it holds in characters. */
const scanAtOnce = 4_096;
const pageLength = 256 * 1024;
/** Who follows and wants none of so many is told where it stands by now, so that it can go on from there elsewhere. */
const strideOfNone = 512;

interface Follower {
  readonly template: CompiledTemplate;
  readonly from: number;
  readonly max: number;
  readonly pending: Pending<WatchPage>;
  at: number;
}

/** Which tuples that stood in the journal are gone, and which rows nobody needs any more. */
export interface RestoredHistory {
  readonly gone: ReadonlySet<number>;
  readonly orphans: readonly Kept[];
}

/**
 * What has happened in a space: an event for each tuple that came, was taken, expired or came back, numbered without gaps.
 * The events since the beginning, replayed, give what is in the space: `out` and `return` put a tuple in, `in` and `expire`
 * take it out. A claim, or an answer that is under way, is an `in` when the tuple is taken and a `return` when it comes back;
 * one whose lease has run out meanwhile does not, and has no second end.
 */
export class SpaceHistory {
  readonly #setting: Setting;
  readonly #space: string;
  readonly #kept: number;
  readonly #isGone: (resident: Resident) => boolean;
  readonly #rows: EventRows | undefined;
  #ring: EventRing;
  /** The number in front of the first event there ever was. */
  #before: number;
  /** On its way in: it has come once it is taken or has found room. */
  #coming: Resident | undefined;
  readonly #followers = new Chain<Follower>();
  #serving = false;

  /** `isGone`: whether a tuple that no event refers to any more is of no other use. */
  constructor(
    setting: Setting,
    home: Kept & { readonly name: string },
    kept: number,
    isGone: (r: Resident) => boolean,
  ) {
    this.#setting = setting;
    this.#space = home.name;
    this.#kept = kept;
    this.#isGone = isGone;
    const { commits } = setting;
    this.#rows = commits === undefined ? undefined : new EventRows(commits, home, () => this.#ring);
    this.#before = setting.eventsBefore(false);
    this.#ring = this.#begin(this.#before);
  }

  #begin(before: number): EventRing {
    const { commits } = this.#setting;
    const dropped = (resident: Resident): void => {
      resident.events--;
      if (resident.events === 0 && resident.row !== 0 && this.#isGone(resident)) commits!.drop(resident);
    };
    return new EventRing(
      Math.max(this.#kept, slack),
      maxHistoryLength,
      before,
      commits === undefined ? undefined : dropped,
    );
  }

  /** Another space of this name was there before: who knows its numbers is not to take these for them. */
  beginAnew(): void {
    this.#before = this.#setting.eventsBefore(true);
    this.#ring = this.#begin(this.#before);
    this.#rows?.beginAfter(this.#before);
  }

  get watchers(): number {
    return this.#followers.size;
  }

  // ------------------------------------------------------------ what happens

  /** It is shown to who waits; whether it comes in is not yet certain. */
  coming(resident: Resident): void {
    this.#coming = resident;
  }

  /** It has come. */
  came(resident: Resident): void {
    if (this.#coming !== resident) return;
    this.#coming = undefined;
    this.#record(outCode, resident);
  }

  turnedAway(): void {
    this.#coming = undefined;
  }

  taken(resident: Resident): void {
    // Whoever takes several may take another first.
    if (this.#coming !== undefined) this.came(this.#coming);
    this.#record(inCode, resident);
  }

  expired(resident: Resident): void {
    this.#record(expireCode, resident);
  }

  returned(resident: Resident): void {
    this.#record(returnCode, resident);
  }

  /** Whether an event refers to the row of a tuple that is gone. */
  needs(resident: Resident): boolean {
    return this.#rows?.needs(resident) === true;
  }

  #record(code: number, resident: Resident): void {
    const { text } = resident;
    if (this.#rows === undefined) this.#ring.push(code, text, text.length);
    else {
      this.#ring.push(code, resident, text.length);
      this.#rows.recorded(resident);
      // Where the disk is full, what is gone from the space makes room at once.
      if (this.#setting.commits!.isFull) while (this.#ring.count > slack) this.#ring.dropFirst();
    }
    if (this.#followers.size === 0 || this.#serving) return;
    this.#serving = true;
    this.#setting.afterTogether(() => this.#serve());
  }

  // ------------------------------------------------------------ who watches

  /** Throws "gap" where the events asked for are not held, or never were. */
  watch(owner: Owner, template: CompiledTemplate, request: WatchRequest): WatchPage | Promise<WatchPage> {
    const { after, max, follow, signal } = request;
    if (after === undefined) return { events: [], last: this.#ring.last };
    const from = after === 0 ? this.#before : after;
    const gap = this.#gap(from, follow);
    if (gap !== undefined) throw gap;
    const page = this.#page(template, from, max);
    const isThrough = page.events.length === 0 && page.last === this.#ring.last;
    return isThrough && follow && signal?.aborted !== true ? this.#follow(owner, template, page.last, request) : page;
  }

  /** Who follows is held more for than `history`: what came since it asked last. */
  #gap(from: number, follow: boolean): BusError | undefined {
    const { first, last } = this.#ring;
    const oldest = follow ? first - 1 : Math.max(first - 1, last - this.#kept);
    if (from >= oldest && from <= last) return undefined;
    const why =
      from > last || from < this.#before
        ? `event ${from} is of a space ${this.#space} that is no more`
        : `the space ${this.#space} no longer holds what came after event ${from}: only what came after ${oldest}`;
    return this.#setting.fault("gap", `${why}; read the space (rdAll), and watch it anew without from`);
  }

  #page(template: CompiledTemplate, from: number, max: number): WatchPage {
    const ring = this.#ring;
    const events: TupleEvent[] = [];
    const end = Math.min(ring.last, from + scanAtOnce);
    let length = 0;
    let seq = from;
    while (seq < end && events.length < max && length < pageLength) {
      seq++;
      const text = ring.text(seq);
      if (!template.matches(text)) continue;
      events.push({ kind: eventKinds[ring.kind(seq)]!, seq, tuple: text });
      length += text.length;
    }
    return { events, last: seq };
  }

  #follow(owner: Owner, template: CompiledTemplate, from: number, { max, signal }: WatchRequest): Promise<WatchPage> {
    let link: Link<Follower> | undefined;
    const pending = new Pending<WatchPage>(this.#setting, owner, {
      what: `a watch of the space ${this.#space}`,
      signal,
      onEnd: () => link?.leave(),
    });
    link = this.#followers.append({ template, from, max, pending, at: from });
    return pending.promise;
  }

  #serve(): void {
    this.#serving = false;
    for (const follower of this.#followers) {
      const { template, from, max, pending, at } = follower;
      const gap = this.#gap(at, true);
      if (gap !== undefined) {
        pending.end(gap);
        continue;
      }
      const page = this.#page(template, at, max);
      follower.at = page.last;
      const isBehind = page.last < this.#ring.last || page.last - from >= strideOfNone;
      if (page.events.length > 0 || isBehind) pending.resolve(page);
    }
  }

  /** The space is no more. */
  destroy(error: BusError): void {
    for (const { pending } of this.#followers) pending.end(error);
    while (this.#ring.count > 0) this.#ring.dropFirst();
    this.#rows?.clear();
  }

  // ------------------------------------------------------------ what outlives the engine

  /** In their order, with the tuples that have a row. `isHeld`: whether a tuple that was taken may yet come back. */
  restore(
    segments: readonly SegmentRecord[],
    tuples: ReadonlyMap<number, Resident>,
    isHeld: (row: number) => boolean,
  ): RestoredHistory {
    const gone = new Set<number>();
    for (const { events } of segments) {
      for (const { kind, row } of events) {
        if (kind === inCode || kind === expireCode) gone.add(row);
        else gone.delete(row);
      }
    }
    for (const row of gone) if (row === 0 || isHeld(row)) gone.delete(row);
    const orphans: Kept[] = this.#restoreEvents(segments, tuples);
    for (const row of gone) {
      const resident = tuples.get(row);
      if (resident !== undefined && resident.events === 0) orphans.push({ row });
    }
    return { gone, orphans };
  }

  /** The newest that are complete and fit. Returns the segments of older ones alone. */
  #restoreEvents(segments: readonly SegmentRecord[], tuples: ReadonlyMap<number, Resident>): Kept[] {
    const newest: { readonly kind: number; readonly resident: Resident }[] = [];
    let length = 0;
    walk: for (const { events } of [...segments].reverse()) {
      for (const { kind, row, resident: whole } of [...events].reverse()) {
        const resident = whole ?? tuples.get(row);
        length += resident?.text.length ?? 0;
        if (resident === undefined || !this.#ring.fits(newest.length + 1, length)) break walk;
        newest.push({ kind, resident });
      }
    }
    const tail = segments.at(-1);
    const last = tail === undefined ? this.#before : tail.first + tail.events.length - 1;
    const first = last - newest.length + 1;
    this.#ring = this.#begin(first - 1);
    for (const { kind, resident } of newest.reverse()) {
      resident.events++;
      this.#ring.push(kind, resident, resident.text.length);
    }
    if (tail !== undefined) this.#before = tail.before;
    const orphans: Kept[] = [];
    for (const segment of segments) {
      if (segment !== tail && segment.first + segment.events.length <= first) orphans.push({ row: segment.row });
      else this.#rows?.restore(segment);
    }
    return orphans;
  }
}
