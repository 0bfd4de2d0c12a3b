import type { CompiledTemplate } from "@quadrant/contract";
import { Chain } from "./chain.ts";
import type { Resident } from "./resident.ts";

/** An operation that waits for a tuple. */
export interface SpaceWaiter {
  /** The order in which waiters came. */
  readonly seq: number;
  readonly template: CompiledTemplate;
  /** Whether it takes the tuple or only reads it. */
  readonly takes: boolean;
  deliver(resident: Resident): void;
}

/** The waiters that a tuple of one bucket may satisfy, in the order they came. */
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

/** Gives a tuple to all readers that match, then to the longest-waiting taker; true where there was one. */
export function serve(lines: readonly WaitingLine[], resident: Resident): boolean {
  if (lines.length === 0) return false;
  const readers: SpaceWaiter[] = [];
  let taker: SpaceWaiter | undefined;
  for (const line of lines) {
    for (const waiter of line.readers) if (waiter.template.matches(resident)) readers.push(waiter);
    for (const waiter of line.takers) {
      if (taker !== undefined && waiter.seq > taker.seq) break;
      if (!waiter.template.matches(resident)) continue;
      taker = waiter;
      break;
    }
  }
  if (lines.length > 1) readers.sort((a, b) => a.seq - b.seq);
  for (const reader of readers) reader.deliver(resident);
  taker?.deliver(resident);
  return taker !== undefined;
}
