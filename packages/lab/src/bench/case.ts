/** What a benchmark is: cases of groups of variants, each measured once a round. */

/** How long and how much. */
export interface Scale {
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** Numbers of tuples, letters and waiters are divided by it; 1 where bars are judged. */
  readonly divisor: number;
}

/** What one measurement found. */
export interface Sample {
  /** In the group's unit. */
  readonly value: number;
  /** Messages that were sent and did not come, or came again; must be 0. */
  readonly lost?: number | undefined;
  /** Further figures by name, with the unit in the name. */
  readonly figures?: Readonly<Record<string, number>> | undefined;
  /** Cores used by each process while measuring, and by whatever else ran on the machine. */
  readonly cores?: Readonly<Record<string, number>> | undefined;
  /** Nanoseconds: an HDR histogram, compressed, in base64. */
  readonly latency?: string | undefined;
}

/** What must hold of a variant's median: its value in the group's unit, or its ratio to the baseline of the same round. */
export interface Bar {
  readonly of: "value" | "ratio";
  readonly atLeast?: number | undefined;
  readonly atMost?: number | undefined;
  /** What is hoped for beyond the bar. */
  readonly aim?: number | undefined;
}

export interface Variant {
  readonly name: string;
  readonly bars?: readonly Bar[] | undefined;
  /** Starts what it needs, warms up, measures, and leaves nothing behind. Rejects where it cannot be run. */
  measure(scale: Scale): Promise<Sample>;
}

/** Variants that take turns. The first is the baseline that the others are compared with, round by round. */
export interface Group {
  readonly name: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly variants: readonly Variant[];
}

export interface Case {
  /** By which it is chosen on the command line. */
  readonly name: string;
  readonly question: string;
  /** Runs only when it is named. */
  readonly optional?: boolean | undefined;
  /** Sets up what its measurements share; called before the first. */
  open?(): Promise<void>;
  groups(scale: Scale): readonly Group[];
  /** Removes what its measurements have shared; called when all are done, however they ended. */
  close?(): Promise<void>;
}
