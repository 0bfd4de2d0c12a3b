import { BusError } from "@quadrant/contract";
import type { EventRing } from "./event-ring.ts";
import type { GroupCommit, Kept } from "./group-commit.ts";
import { Resident } from "./resident.ts";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";

/** Events that were committed together: one row. */
interface Segment extends Kept {
  first: number;
  last: number;
}

const kindCodes = 4;
const byRow = 4;
const codes = 8;

/** An event as it is kept: its tuple by its row, or, of one that came and went before it had any, itself. */
export interface EventRecord {
  readonly kind: number;
  /** 0: `resident` is all there is. */
  readonly row: number;
  readonly resident: Resident | undefined;
}

export interface SegmentRecord {
  readonly row: number;
  /** The number in front of the first event that there ever was. */
  readonly before: number;
  readonly first: number;
  readonly events: readonly EventRecord[];
}

/**
 * The events of a space in the journal. What a group commits of them is one row, in which a tuple is the number of its own
 * row, six bytes an event: the row stays, after the tuple is gone, as long as an event refers to it. Only a tuple that came
 * and went within one group has none, and stands among the events once.
 */
export class EventRows {
  readonly #commits: GroupCommit;
  /** The space. */
  readonly #home: Kept;
  readonly #ring: () => EventRing;
  #before = 0;
  readonly #segments: Segment[] = [];

  constructor(commits: GroupCommit, home: Kept, ring: () => EventRing) {
    this.#commits = commits;
    this.#home = home;
    this.#ring = ring;
  }

  /** The last event of the ring is new. */
  recorded(resident: Resident): void {
    resident.events++;
    const { last } = this.#ring();
    const segment = this.#segments.at(-1);
    if (segment !== undefined && this.#commits.isFresh(segment)) segment.last = last;
    else this.#begin(last, last);
    this.#trim();
  }

  /** Keeps where the numbers begin, before there is an event. */
  beginAfter(before: number): void {
    this.#before = before;
    this.#begin(before + 1, before);
  }

  #begin(first: number, last: number): void {
    const segment: Segment = { row: 0, first, last };
    this.#segments.push(segment);
    this.#commits.put(segment, this.#encode);
  }

  #trim(): void {
    const { first } = this.#ring();
    while (this.#segments.length > 1 && this.#segments[0]!.last < first) this.#commits.drop(this.#segments.shift()!);
  }

  /** Whether the row of a tuple that is gone has to stay. */
  needs(resident: Resident): boolean {
    return resident.events > 0 && resident.row !== 0 && !this.#commits.isFresh(resident);
  }

  clear(): void {
    for (const segment of this.#segments.splice(0)) this.#commits.drop(segment);
  }

  readonly #encode = ({ row, first, last }: Segment, rows: RowWriter): void => {
    const ring = this.#ring();
    const begin = Math.max(first, ring.first);
    rows.begin(row, RowKind.events).whole(this.#home.row).number(this.#before).number(begin);
    rows.whole(Math.max(0, last - begin + 1));
    // Only of those without a row, which are few.
    let places: Map<Resident, number> | undefined;
    for (let seq = begin; seq <= last; seq++) {
      const resident = ring.resident(seq);
      const kind = ring.kind(seq);
      if (resident.row !== 0) {
        rows.whole(resident.row * codes + byRow + kind);
        continue;
      }
      const place = places?.get(resident);
      if (place !== undefined) {
        rows.whole((seq - place) * codes + kind);
        continue;
      }
      places ??= new Map();
      places.set(resident, seq);
      rows.whole(kind).text(resident.text);
    }
    rows.end();
  };

  // ---- what outlives the engine

  restore({ row, before, first, events }: SegmentRecord): void {
    this.#before = before;
    this.#segments.push({ row, first, last: first + events.length - 1 });
  }
}

export function readSegment(row: number, reader: RowReader): SegmentRecord {
  const before = reader.number();
  const first = reader.number();
  const count = reader.whole();
  const events: EventRecord[] = [];
  for (let at = 0; at < count; at++) {
    const code = reader.whole();
    const kind = code % kindCodes;
    const value = Math.floor(code / codes);
    if (code % codes >= byRow) events.push({ kind, row: value, resident: undefined });
    else if (value === 0) events.push({ kind, row: 0, resident: new Resident(reader.text()) });
    else {
      const resident = events[at - value]?.resident;
      if (resident === undefined) throw new BusError("unavailable", "an event of the journal has no tuple");
      events.push({ kind, row: 0, resident });
    }
  }
  return { row, before, first, events };
}
