import type { CompiledTemplate } from "@quadrant/contract";
import { Chain } from "./chain.ts";
import type { Resident } from "./resident.ts";

/**
 * An operation that waits for a tuple.
 *
 * A class, like all that is kept for as long as somebody waits: V8 decides once for each literal in the code whether what it
 * makes is long-lived. Where many wait, it then puts also those of who waits for a moment, or not at all, among the old
 * objects, where they keep alive what they refer to until the next full collection. Objects of classes begin young.
 */
export class SpaceWaiter {
  /** The order in which waiters came. */
  readonly seq: number;
  readonly template: CompiledTemplate;
  /** Whether it takes the tuple or only reads it. */
  readonly takes: boolean;
  readonly deliver: (resident: Resident) => void;
  /** Of one that wants more than this tuple: whether it would have all with it. */
  readonly accepts: ((resident: Resident) => boolean) | undefined;

  constructor(
    seq: number,
    template: CompiledTemplate,
    takes: boolean,
    deliver: (resident: Resident) => void,
    accepts?: (resident: Resident) => boolean,
  ) {
    this.seq = seq;
    this.template = template;
    this.takes = takes;
    this.deliver = deliver;
    this.accepts = accepts;
  }
}

/** The waiters that a tuple of one key may satisfy, in the order they came. */
export class WaitingLine {
  readonly readers: Chain<SpaceWaiter> = new Chain();
  readonly takers: Chain<SpaceWaiter> = new Chain();

  get size(): number {
    return this.readers.size + this.takers.size;
  }

  /** Returns what makes it leave. */
  join(waiter: SpaceWaiter): () => void {
    const link = (waiter.takes ? this.takers : this.readers).append(waiter);
    return () => link.leave();
  }
}

/** So many empty lines are kept whatever else there is. */
const maxIdle = 1_024;

/**
 * Lines by name. What somebody waits for is often waited for again: an empty line stays for the next of its name, since
 * making it anew each time costs more than finding it, as long as no more of them are empty than are not.
 */
export class WaitingLines {
  readonly #lines = new Map<string, WaitingLine>();
  #idle = 0;
  /** How many wait. */
  waiters = 0;

  /** How many lines there are in which somebody stands. */
  get size(): number {
    return this.#lines.size - this.#idle;
  }

  /** With the empty ones. */
  get held(): number {
    return this.#lines.size;
  }

  get(name: string): WaitingLine | undefined {
    const line = this.#lines.get(name);
    return line !== undefined && line.size > 0 ? line : undefined;
  }

  /** Returns what makes it leave. */
  join(name: string, waiter: SpaceWaiter): () => void {
    const found = this.#lines.get(name);
    const line = found ?? new WaitingLine();
    if (found === undefined) this.#lines.set(name, line);
    else if (found.size === 0) this.#idle--;
    const leave = line.join(waiter);
    this.waiters++;
    return () => {
      leave();
      this.waiters--;
      if (line.size === 0) this.#sweep();
    };
  }

  /** One more is idle. */
  #sweep(): void {
    this.#idle++;
    if (this.#idle <= maxIdle || this.#idle * 2 <= this.#lines.size) return;
    for (const [name, line] of this.#lines) if (line.size === 0) this.#lines.delete(name);
    this.#idle = 0;
  }
}

/** Gives a tuple to all readers that match, then to the longest-waiting taker; true where there was one. */
export function serve(lines: readonly WaitingLine[], resident: Resident): boolean {
  if (lines.length === 0) return false;
  const { text } = resident;
  const readers: SpaceWaiter[] = [];
  let taker: SpaceWaiter | undefined;
  for (const line of lines) {
    for (const waiter of line.readers) if (waiter.template.matches(text)) readers.push(waiter);
    for (const waiter of line.takers) {
      if (taker !== undefined && waiter.seq > taker.seq) break;
      if (!waiter.template.matches(text)) continue;
      if (waiter.accepts !== undefined && !waiter.accepts(resident)) continue;
      taker = waiter;
      break;
    }
  }
  if (lines.length > 1) readers.sort((a, b) => a.seq - b.seq);
  for (const reader of readers) reader.deliver(resident);
  taker?.deliver(resident);
  return taker !== undefined;
}
