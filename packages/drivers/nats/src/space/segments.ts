/** A group of changes where it stands in the stream. */
export interface Segment {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly bytes: number;
  /** Rows that it put. */
  readonly rows: number;
  /** Of those, the ones that nothing later has put anew or removed. */
  live: number;
}

/**
 * Which message holds each row as it is now. What is at the front of the stream and dead can be purged; where that alone does
 * not suffice, the live rows of the front are written again at its end.
 */
export class Segments {
  readonly #rows = new Map<number, Segment>();
  #segments: Segment[] = [];
  #gone = 0;
  #bytes = 0;
  #liveBytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** About so many are of rows that are alive. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  get rows(): number {
    return this.#rows.size;
  }

  get count(): number {
    return this.#segments.length - this.#gone;
  }

  /** The first of those that hold something alive, up to about so many bytes. */
  oldest(count: number, bytes: number): readonly Segment[] {
    const found: Segment[] = [];
    let sum = 0;
    for (let at = this.#gone; at < this.#segments.length && found.length < count && sum < bytes; at++) {
      const segment = this.#segments[at]!;
      if (segment.live === 0) continue;
      found.push(segment);
      sum += segment.bytes;
    }
    return found;
  }

  get front(): Segment | undefined {
    return this.#segments[this.#gone];
  }

  /** Segments are added in the order of the stream. */
  add(segment: Segment, put: readonly number[]): void {
    this.#segments.push(segment);
    this.#bytes += segment.bytes;
    for (const row of put) {
      this.remove(row);
      this.#rows.set(row, segment);
      segment.live++;
      this.#liveBytes += segment.bytes / segment.rows;
    }
  }

  remove(row: number): void {
    const segment = this.#rows.get(row);
    if (segment === undefined) return;
    this.#rows.delete(row);
    segment.live--;
    this.#liveBytes -= segment.bytes / segment.rows;
  }

  holds(row: number, segment: Segment): boolean {
    return this.#rows.get(row) === segment;
  }

  /** Takes away what is dead at the front; returns the sequence up to which, itself included, nothing is needed. */
  trim(): number {
    let end = 0;
    for (let front = this.front; front !== undefined && front.live === 0; front = this.front) {
      this.#bytes -= front.bytes;
      end = front.lastSeq;
      this.#gone++;
    }
    if (this.#gone > 1_024 && this.#gone * 2 > this.#segments.length) {
      this.#segments = this.#segments.slice(this.#gone);
      this.#gone = 0;
    }
    return end;
  }
}
