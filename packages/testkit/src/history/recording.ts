import { closeSync, openSync, writeSync } from "node:fs";
import { BusError } from "@quadrant/contract";
import type { HistoryEvent } from "./event.ts";

/** Where events go. */
export interface Recording {
  /** What is held in memory, in order; of a file nothing. */
  readonly events: readonly HistoryEvent[];
  add(event: HistoryEvent): void;
  /** Rejects with "unavailable" where something could not be written: then the history is not whole. Repeating it is harmless. */
  close(): Promise<void>;
}

const defaultMaxEvents = 1_000_000;

/** Keeps so many events and says, as the last of them, that there were more: `check` does not pass what was cut off. */
export class MemoryRecording implements Recording {
  readonly #events: HistoryEvent[] = [];
  readonly #maxEvents: number;

  constructor(maxEvents: number = defaultMaxEvents) {
    this.#maxEvents = maxEvents;
  }

  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  add(event: HistoryEvent): void {
    const { process, us, at } = event;
    if (this.#events.length < this.#maxEvents) this.#events.push(event);
    else if (this.#events.length === this.#maxEvents) this.#events.push({ kind: "cut", process, us, at });
  }

  async close(): Promise<void> {}
}

/**
 * Appends JSON lines to a file. Each is with the operating system before `add` returns, so that an operation stands in the
 * file before it is begun, also when the process is killed the moment after; nothing is buffered here.
 */
export class FileRecording implements Recording {
  readonly events: readonly HistoryEvent[] = [];
  readonly #path: string;
  #file: number | undefined;
  #failure: unknown;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, "a");
  }

  add(event: HistoryEvent): void {
    if (this.#file === undefined) return;
    try {
      const line = Buffer.from(`${JSON.stringify(event)}\n`);
      for (let at = 0; at < line.length; ) at += writeSync(this.#file, line, at);
    } catch (error) {
      // The bus behaves as it would: whoever closes the recording learns of it.
      this.#failure = error;
      this.#end();
    }
  }

  async close(): Promise<void> {
    this.#end();
    if (this.#failure === undefined) return;
    throw new BusError("unavailable", `the history in ${this.#path} is not whole: ${String(this.#failure)}`, {
      cause: this.#failure,
    });
  }

  #end(): void {
    if (this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    closeSync(file);
  }
}
