import type { Operation } from "./operation.ts";

/** A promise that the history shows to be broken. */
export interface Violation {
  readonly model: "space" | "mailbox" | "log" | "publish/subscribe" | "direct" | "history";
  /** Such as "taken-twice"; the README has them all. */
  readonly rule: string;
  /** The space, mailbox, log, pattern or address. */
  readonly on: string;
  readonly message: string;
  /** The operations that contradict each other. */
  readonly operations: readonly Operation[];
}

/** What a checker found, and what it did for it. */
export class Findings {
  readonly violations: Violation[] = [];
  readonly counts: Record<string, number> = {};
  /** Elementary steps: how the work grows with the history is seen here, whatever the machine. */
  steps = 0;

  count(what: string, more: number = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + more;
  }
}
