import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { type BusStatus, isBusError } from "@quadrant/contract";
import type { Details, Outcome } from "./event.ts";
import type { Recording } from "./recording.ts";

/** The clock of a machine since its boot: containers of one machine share it. */
function clockName(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return hostname();
  }
}

/** An operation whose time ran out may yet be carried out by whoever it was sent to. */
const unknownAfterTimeout: ReadonlySet<string> = new Set(["call"]);

/** Notes down the operations of one connection. */
export class Recorder {
  readonly process: string;
  readonly #recording: Recording;
  #operations = 0;
  #closing = false;
  /** Those that were under way when the connection was closed. */
  #lastBeforeClose = 0;

  constructor(recording: Recording, driver: string, process: string | undefined) {
    this.#recording = recording;
    this.process = process ?? `${globalThis.process.pid}-${randomBytes(4).toString("hex")}`;
    recording.add({ kind: "process", ...this.#moment(), pid: globalThis.process.pid, clock: clockName(), driver });
  }

  #moment(): { readonly process: string; readonly us: number; readonly at: number } {
    return { process: this.process, us: Number(globalThis.process.hrtime.bigint() / 1_000n), at: Date.now() };
  }

  /** An operation begins; returns its number. */
  invoke(op: string, on: unknown, args: Details = {}): number {
    const n = ++this.#operations;
    this.#recording.add({ kind: "invoke", ...this.#moment(), n, op, on: String(on), args });
    return n;
  }

  returned(n: number, value?: Details): void {
    this.#recording.add({ kind: "return", ...this.#moment(), n, outcome: "done", ...(value && { value }) });
  }

  failed(n: number, op: string, error: unknown): void {
    const code = isBusError(error) ? error.code : undefined;
    const outcome = this.#outcomeOf(n, op, code);
    const told = isBusError(error, "remote") ? error.remote : undefined;
    const value = told && { error: `${told.name}: ${told.message}` };
    const sent = isBusError(error) ? error.sent : undefined;
    this.#recording.add({
      kind: "return",
      ...this.#moment(),
      n,
      outcome,
      ...(code !== undefined && { code }),
      ...(value !== undefined && { value }),
      ...(sent !== undefined && { value: { ids: sent.map(({ id }) => id) } }),
    });
  }

  #outcomeOf(n: number, op: string, code: string | undefined): Outcome {
    if (code === undefined || code === "indefinite") return "indefinite";
    if (code === "closed" && this.#closing && n <= this.#lastBeforeClose) return "indefinite";
    if (unknownAfterTimeout.has(op) && (code === "timeout" || code === "aborted")) return "indefinite";
    return "failed";
  }

  /** A served method threw: that is how its execution ended. */
  threw(n: number, error: unknown): void {
    const told = error instanceof Error ? `${error.name}: ${error.message}` : `Error: ${String(error)}`;
    this.returned(n, { error: told });
  }

  got(n: number, value: Details): void {
    this.#recording.add({ kind: "got", ...this.#moment(), n, value });
  }

  signalled(kind: "aborted" | "lost", n: number): void {
    this.#recording.add({ kind, ...this.#moment(), n });
  }

  /** Runs an operation. What it rejects with, or throws at once, is passed on. */
  run<T>(
    op: string,
    on: unknown,
    args: Details,
    operation: () => Promise<T>,
    detailsOf?: (result: T, n: number) => Details,
  ): Promise<T> {
    return this.running(op, on, args, operation, (result, n) => {
      this.returned(n, detailsOf?.(result, n));
      return result;
    });
  }

  /** The same for one whose result is handed on as another; `done` says so by `returned`. */
  running<T, R>(
    op: string,
    on: unknown,
    args: Details,
    operation: () => Promise<T>,
    done: (result: T, n: number) => R,
    signal?: AbortSignal | undefined,
  ): Promise<R> {
    const n = this.invoke(op, on, args);
    const unwatch = this.#watch(n, signal);
    const passOn = (error: unknown): never => {
      unwatch?.();
      this.failed(n, op, error);
      throw error;
    };
    let running: Promise<T>;
    try {
      running = operation();
    } catch (error) {
      return passOn(error);
    }
    return running.then((result) => {
      unwatch?.();
      return done(result, n);
    }, passOn);
  }

  #watch(n: number, signal: AbortSignal | undefined): (() => void) | undefined {
    if (!(signal instanceof AbortSignal) || signal.aborted) return undefined;
    const aborted = (): void => this.signalled("aborted", n);
    signal.addEventListener("abort", aborted, { once: true });
    return () => signal.removeEventListener("abort", aborted);
  }

  /** Notes down when the connection is lost and back, until it is closed. */
  async follow(statuses: AsyncIterable<BusStatus>): Promise<void> {
    for await (const { kind } of statuses) {
      if (kind === "disconnected" || kind === "reconnected") this.#recording.add({ kind, ...this.#moment() });
    }
  }

  closing(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#lastBeforeClose = this.#operations;
  }

  end(): void {
    this.#recording.add({ kind: "end", ...this.#moment() });
  }
}
