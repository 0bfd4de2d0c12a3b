/** What an experiment is: a question put to every combination of its factors, and what is expected of the answers. */

/** The coupling models, with the log as the stored form of publish/subscribe. */
export type Model = "direct" | "mailbox" | "publish-subscribe" | "log" | "tuple-space";
export const models: readonly Model[] = ["direct", "mailbox", "publish-subscribe", "log", "tuple-space"];
export type DriverName = "memory" | "file" | "zeromq" | "nats" | "redis";
export const driverNames: readonly DriverName[] = ["memory", "file", "zeromq", "nats", "redis"];

export type Level = string | number | boolean;
/** What is varied: every level of each is combined with every level of the others. `driver` is always one of them. */
export type Factors = { readonly driver: readonly DriverName[] } & { readonly [factor: string]: readonly Level[] };
/** One combination of levels. */
export type Cell<F extends Factors = Factors> = { readonly [K in keyof F]: F[K][number] };

/** One figure that a repetition yields. */
export interface Measure {
  /** "messages", "ms", "1/s", "MiB", … */
  readonly unit: string;
  readonly better: "more" | "less" | "neither";
  /** How it is called on an axis or in a heading. */
  readonly label: string;
}
export type Measures = { readonly [measure: string]: Measure };
/** The figures of one repetition. `undefined` where the cell has no such figure (the latency of what never came). */
export type Values<M extends Measures = Measures> = { readonly [K in keyof M]: number | undefined };

/** What is found of one cell: the values of all its repetitions. */
export interface Finding<F extends Factors = Factors, M extends Measures = Measures> {
  readonly cell: Cell<F>;
  readonly values: readonly Values<M>[];
}

/** One thing that should hold. `why` explains a deviation that is in the nature of the driver; a deviation without it is a defect. */
export interface Verdict {
  readonly claim: string;
  readonly cell: Cell;
  readonly holds: boolean;
  /** What was seen, in figures. */
  readonly seen: string;
  readonly why?: string | undefined;
}

export interface Experiment<F extends Factors = Factors, M extends Measures = Measures> {
  /** By which it is chosen: kebab-case, as its file. */
  readonly name: string;
  /** In words of a reader who has to choose a coupling model. */
  readonly question: string;
  readonly factors: F;
  readonly measure: M;
  readonly broker?: BrokerNeeds | undefined;
  /** The levels of a quick run, of the factors that have fewer then. */
  readonly quick?: { readonly [K in keyof F]?: readonly F[K][number][] } | undefined;
  /** Why a cell makes no sense and is not run, in words for the report. */
  omit?(cell: Cell<F>): string | undefined;
  /** One repetition of one cell: opens what it needs through the site, and leaves nothing behind. */
  run(cell: Cell<F>, site: Site): Promise<Values<M>>;
  /** Judges all findings of a run. */
  expect(findings: readonly Finding<F, M>[]): readonly Verdict[];
}

/** What the broker of an experiment has to be. */
export interface BrokerNeeds {
  /** What it acknowledges survives its kill: a hub with a data folder, Redis with `appendfsync always`. NATS always is. */
  readonly durable?: boolean | undefined;
  /** The network before it can be cut and slowed: all goes through a proxy, which takes time of its own. */
  readonly network?: boolean | undefined;
}

export function defineExperiment<const F extends Factors, const M extends Measures>(
  experiment: Experiment<F, M>,
): Experiment<F, M> {
  return experiment;
}

/** Where one repetition takes place: a broker of its cell's driver, and processes for its parts. Closed by who runs it. */
export interface Site {
  readonly driver: DriverName;
  /** For names: no two repetitions share one. */
  readonly name: string;
  readonly seed: number;
  /** Less of everything: the run is to take minutes, not an hour. */
  readonly quick: boolean;
  /** Aborted when the run is stopped. */
  readonly signal: AbortSignal;
  /** Starts a part in a process of its own; on `memory:` and `file:` in this one, since there nothing else could meet it. */
  start(role: RoleModule, input?: unknown): Promise<Part>;
  /** What happens to the broker. On `memory:` and `file:` "unsupported". */
  readonly broker: Outages;
}

/** The address of a module whose default export is a role: `new URL("./roles/x.ts", import.meta.url)`. */
export type RoleModule = URL;

/** A part of an experiment that runs somewhere: a sender, a receiver. */
export interface Part extends AsyncDisposable {
  /** Asks for something that the role's default export answers to; rejects with what it threw, or when its process ended. */
  ask<T = unknown>(question: string, argument?: unknown): Promise<T>;
  /** SIGKILL; in this process: its connection is closed without any settlement. Resolves once it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT of its process. In this process "unsupported". */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Bytes resident in its process. */
  memory(): Promise<number>;
}

export interface Outages {
  /** SIGKILL, and a new start over the same data at the same address. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** The network between the parts and the broker. */
  cut(): Promise<void>;
  heal(): Promise<void>;
  /** Adds this many milliseconds to each direction; 0 takes it back. */
  delay(ms: number): Promise<void>;
}
