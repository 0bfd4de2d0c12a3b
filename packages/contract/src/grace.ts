import { after } from "./duration.ts";

/** A timer that is so late tells of a machine that has more to do than it can. */
const busyMs = 15;

/** A late timer may mean that this process was busy: what has come meanwhile is read first. */
export function afterReading(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}

export interface GraceTerms {
  /** Milliseconds. */
  readonly graceMs: number;
  /** However much the peer talks: no longer than this. */
  readonly longestMs: number;
  /** When the peer was last heard; of performance.now(). */
  lastHeard(): number;
  over(): void;
}

/**
 * The time that a peer gets to say how a wait ended: the end of what the API calls "within". It gets more while it keeps
 * talking, or where the timer of this process was late itself: then the machine is busy, and the peer is not to blame.
 * Returns what stops it.
 */
export function grace({ graceMs, longestMs, lastHeard, over }: GraceTerms): () => void {
  const latest = performance.now() + longestMs;
  let heard = lastHeard();
  let stop: () => void = () => undefined;
  let stopped = false;
  const wait = (): void => {
    const due = performance.now() + graceMs;
    stop = after(graceMs, () => afterReading(() => judge(performance.now() - due)));
  };
  const judge = (lateMs: number): void => {
    if (stopped) return;
    const now = lastHeard();
    const goesOn = now > heard || lateMs > busyMs;
    heard = now;
    if (goesOn && performance.now() < latest) wait();
    else over();
  };
  wait();
  return () => {
    stopped = true;
    stop();
  };
}
