import { BusError } from "@quadrant/contract";
import type { Details, GotEvent, HistoryEvent, Outcome, ProcessEvent } from "./event.ts";

/** An operation from its beginning to its end, put together from its events. */
export interface Operation {
  readonly process: string;
  readonly n: number;
  readonly op: string;
  readonly on: string;
  readonly args: Details;
  /** Microseconds of the monotonic clock. */
  readonly began: number;
  /** Infinity where it has not returned: its process was killed, or it goes on. */
  ended: number;
  /** One that has not returned is indefinite. */
  outcome: Outcome;
  code?: string | undefined;
  value: Details;
  readonly got: GotEvent[];
  /** When its signal was aborted. */
  aborted?: number | undefined;
  /** When the lease of what it got was lost, as far as its process knew. */
  lost?: number | undefined;
}

/** What is known of a process. */
export interface Process {
  readonly name: string;
  readonly driver: string;
  readonly clock: string;
  /** When its last event was: it lived until then at least. */
  last: number;
  /** Whether its connection was closed, rather than killed with it. */
  ended: boolean;
  /** When it began to close; Infinity where it did not. */
  closing: number;
  /** When the connection was lost, from then until it was back. */
  readonly outages: { readonly from: number; to: number }[];
}

/** A history, put together: what the checkers look at. */
export class Operations {
  readonly all: readonly Operation[];
  readonly processes: ReadonlyMap<string, Process>;
  /** Whether a recording was full. */
  readonly cut: boolean;
  readonly #byId: ReadonlyMap<string, Operation>;

  private constructor(byId: ReadonlyMap<string, Operation>, processes: ReadonlyMap<string, Process>, cut: boolean) {
    this.all = [...byId.values()];
    this.processes = processes;
    this.cut = cut;
    this.#byId = byId;
  }

  /** Throws "codec" for what is no history: an operation that ends before it begins, a process that nobody introduced. */
  static of(history: Iterable<HistoryEvent>): Operations {
    const byId = new Map<string, Operation>();
    const processes = new Map<string, Process>();
    let cut = false;
    for (const event of history) {
      if (event.kind === "process") introduce(processes, event);
      const process = processes.get(event.process);
      if (process === undefined) throw new BusError("codec", `${event.process} has no first line in the history`);
      process.last = Math.max(process.last, event.us);
      if (event.kind === "cut") cut = true;
      else if (event.kind === "invoke" && event.op === "close") process.closing = Math.min(process.closing, event.us);
      if ("n" in event) addTo(byId, event);
      else if (event.kind !== "process" && event.kind !== "cut") changeState(process, event.kind, event.us);
    }
    return new Operations(byId, processes, cut);
  }

  find(process: string, n: number): Operation | undefined {
    return this.#byId.get(`${process} ${n}`);
  }

  /** Whether the process was without its connection at some time in between. */
  isOut(process: string, from: number, to: number): boolean {
    return this.processes.get(process)!.outages.some((outage) => outage.from <= to && outage.to >= from);
  }
}

function introduce(processes: Map<string, Process>, { process, clock, driver, us }: ProcessEvent): void {
  if (processes.has(process)) {
    throw new BusError("codec", `two recorders call themselves ${process}: give each a name of its own`);
  }
  processes.set(process, {
    name: process,
    driver,
    clock,
    last: us,
    ended: false,
    closing: Number.POSITIVE_INFINITY,
    outages: [],
  });
}

function changeState(process: Process, kind: "disconnected" | "reconnected" | "end", us: number): void {
  const last = process.outages.at(-1);
  if (kind === "end") process.ended = true;
  else if (kind === "disconnected") process.outages.push({ from: us, to: Number.POSITIVE_INFINITY });
  else if (last !== undefined) last.to = us;
}

type OfOperation = Extract<HistoryEvent, { readonly n: number }>;

function addTo(byId: Map<string, Operation>, event: OfOperation): void {
  const id = `${event.process} ${event.n}`;
  if (event.kind === "invoke") {
    const { process, n, op, on, args, us } = event;
    const ended = Number.POSITIVE_INFINITY;
    byId.set(id, { process, n, op, on, args, began: us, ended, outcome: "indefinite", value: {}, got: [] });
    return;
  }
  const operation = byId.get(id);
  if (operation === undefined) throw new BusError("codec", `operation ${event.n} of ${event.process} never began`);
  if (event.kind === "got") operation.got.push(event);
  else if (event.kind === "aborted") operation.aborted = event.us;
  else if (event.kind === "lost") operation.lost = event.us;
  else if (event.kind === "return") {
    operation.ended = event.us;
    operation.outcome = event.outcome;
    operation.code = event.code;
    operation.value = event.value ?? {};
  }
}
