import { PassThrough, Writable } from "node:stream";
import type { Io, StopSignal } from "./io.ts";
import { main } from "./program.ts";

/** A stdout or stderr that keeps what it gets. */
export class Captured extends Writable {
  text = "";
  isTTY: boolean = false;
  /** Whether whoever read it has gone: writes fail with EPIPE. */
  broken: boolean = false;
  #listeners: (() => void)[] = [];

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    if (this.broken) {
      done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      return;
    }
    this.text += chunk.toString();
    for (const listener of this.#listeners.splice(0)) listener();
    done();
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  /** Resolves once what was written so far satisfies the condition. */
  async until(condition: (text: string) => boolean): Promise<void> {
    while (!condition(this.text)) await new Promise<void>((resolve) => this.#listeners.push(resolve));
  }
}

/** A process for tests: its output is kept, its clock and its signals are the test's. */
export class CapturedIo implements Io {
  readonly stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
  readonly stdout: Captured = new Captured();
  readonly stderr: Captured = new Captured();
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The codes that the program wanted to end with at once. */
  readonly abandoned: number[] = [];
  /** What `now` returns: milliseconds. */
  time: number = 0;
  readonly #listeners = new Set<(signal: StopSignal) => void>();

  constructor(env: Readonly<Record<string, string | undefined>> = {}) {
    this.env = env;
  }

  now(): number {
    return this.time;
  }

  onStop(listener: (signal: StopSignal) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  abandon(code: number): void {
    this.abandoned.push(code);
  }

  /** Whether the program listens to signals. */
  get listening(): boolean {
    return this.#listeners.size > 0;
  }

  interrupt(signal: StopSignal = "SIGINT"): void {
    for (const listener of this.#listeners) listener(signal);
  }
}

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly lines: string[];
  readonly err: string;
}

/** Runs a command line in this process, with `input` on its stdin. */
export async function run(argv: readonly string[], input?: string | undefined, io?: CapturedIo): Promise<Outcome> {
  const used = io ?? new CapturedIo();
  used.stdin.end(input ?? "");
  const code = await main(argv, used);
  return { code, out: used.stdout.text, lines: used.stdout.lines, err: used.stderr.text };
}
