import { after } from "@quadrant/contract";

/** A timer that is so late tells of a machine that has more to do than it can. */
const busyMs = 15;

/** A late timer may mean that this process was busy: what has come meanwhile is read first. */
export function afterReading(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}

export interface GraceTerms {
  readonly graceMs: number;
  /** However much the hub talks: no longer than this. */
  readonly longestMs: number;
  /** When the last packet of the hub came; monotonic, in milliseconds. */
  lastHeard(): number;
  over(): void;
}

/**
 * The time that the hub gets to say how a wait ended: the end of what the API calls "within". It gets more while it keeps
 * talking, or where the timer of this process was late itself: then the machine is busy, and the hub is not to blame.
 * Returns what stops it.
 */
export function grace({ graceMs, longestMs, lastHeard, over }: GraceTerms): () => void {
  const latest = performance.now() + longestMs;
  let heard = lastHeard();
  let stop: () => void = () => undefined;
  const wait = (): void => {
    const due = performance.now() + graceMs;
    stop = after(graceMs, () => afterReading(() => judge(performance.now() - due)));
  };
  const judge = (lateMs: number): void => {
    const now = lastHeard();
    const goesOn = now > heard || lateMs > busyMs;
    heard = now;
    if (goesOn && performance.now() < latest) wait();
    else over();
  };
  wait();
  return () => stop();
}
