import type { Writable } from "node:stream";
import pico from "picocolors";
import { ClosedPipe } from "./failure.ts";
import type { Io, Terminal } from "./io.ts";
import type { Secrets } from "./secret.ts";

export type Colors = ReturnType<typeof pico.createColors>;

// Escape sequences in other people's data would steer the user's terminal. Tab and line feed are harmless.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
const control = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

function escapeControl(text: string): string {
  return text.replace(control, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** NO_COLOR and TERM=dumb turn colours off, FORCE_COLOR on; else a terminal gets them. */
export function colorsFor(stream: Terminal<Writable>, env: Io["env"]): Colors {
  if (env.NO_COLOR) return pico.createColors(false);
  if (env.FORCE_COLOR && env.FORCE_COLOR !== "0") return pico.createColors(true);
  return pico.createColors(stream.isTTY === true && env.TERM !== "dumb");
}

export interface OutputSettings {
  /** Data as one JSON object a line. */
  readonly json: boolean;
  /** No talk; failures and warnings are still told. */
  readonly quiet: boolean;
}

/** Data goes to stdout, talk to stderr. */
export class Output {
  readonly json: boolean;
  /** For data that is laid out for people. */
  readonly colors: Colors;
  readonly #quiet: boolean;
  readonly #io: Io;
  readonly #pipe: Pipe;
  readonly #secrets: Secrets;
  readonly #talkColors: Colors;

  constructor(io: Io, pipe: Pipe, secrets: Secrets, settings: OutputSettings) {
    this.#io = io;
    this.#pipe = pipe;
    this.#secrets = secrets;
    this.json = settings.json;
    this.#quiet = settings.quiet;
    this.colors = colorsFor(io.stdout, io.env);
    this.#talkColors = colorsFor(io.stderr, io.env);
  }

  /** Whether progress may be drawn. */
  get animated(): boolean {
    return this.#io.stderr.isTTY === true && !this.#quiet;
  }

  /** One line of data. Resolves when more may be written; rejects with ClosedPipe when nobody reads any more. */
  async line(text: string): Promise<void> {
    await this.#pipe.write(`${this.#io.stdout.isTTY ? escapeControl(text) : text}\n`);
  }

  /** Whether stdout is a terminal. */
  get interactive(): boolean {
    return this.#io.stdout.isTTY === true;
  }

  /** Bytes as they are, at the pace of who reads them. */
  bytes(chunk: Uint8Array): Promise<void> {
    return this.#pipe.write(chunk);
  }

  /** One datum: with --json the record as an object on its line, else the text. */
  async datum(record: object, text: () => string): Promise<void> {
    await this.line(this.json ? JSON.stringify(record) : text());
  }

  /** Masked like talk: for data that may hold a URL. */
  mask(text: string): string {
    return this.#secrets.mask(text);
  }

  /** Rows under a heading, in columns; with --json each row as an object. */
  async table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): Promise<void> {
    if (this.json) {
      for (const row of rows) {
        await this.line(JSON.stringify(Object.fromEntries(columns.map((column, i) => [column, row[i] ?? null]))));
      }
      return;
    }
    const cells = [columns, ...rows.map((row) => row.map(String))];
    const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
    for (const [index, row] of cells.entries()) {
      const text = row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd();
      await this.#pipe.write(`${index === 0 ? this.colors.bold(text) : escapeControl(text)}\n`);
    }
  }

  /** Says something to the user, unless --quiet. */
  talk(text: string): void {
    if (!this.#quiet) this.#say(this.#talkColors.dim(this.#tame(text)));
  }

  /** Says, unless --quiet, what holds no secret for certain. A public key may look like a URL's user and password. */
  talkPlainly(text: string): void {
    if (!this.#quiet) this.#say(this.#talkColors.dim(escapeControl(text)));
  }

  /** Says what the user has to know. */
  warn(text: string): void {
    this.#say(this.#talkColors.yellow(this.#tame(text)));
  }

  /** Says why the command ends, on one line. */
  fail(text: string): void {
    const line = this.#tame(text).replace(/\s*\n\s*/g, " ");
    this.#say(`${this.#talkColors.red("quadrant:")} ${line}`);
  }

  #tame(text: string): string {
    return escapeControl(this.#secrets.mask(text));
  }

  #say(text: string): void {
    this.#io.stderr.write(`${text}\n`);
  }
}

/** Writes to stdout at the pace of who reads it, and notices when nobody does. */
export class Pipe {
  /** Aborts when nobody reads any more. */
  readonly signal: AbortSignal;
  readonly #stream: Writable;
  readonly #stop: AbortSignal;
  readonly #closed = new AbortController();
  #error: Error | undefined;

  /** `stop` ends waiting: a reader that has stopped reading must not keep the program from ending. */
  constructor(stream: Writable, stop: AbortSignal) {
    this.#stream = stream;
    this.#stop = stop;
    this.signal = this.#closed.signal;
    // Never taken off again: a late EPIPE without a listener would end the process with a stack trace.
    stream.on("error", (error: Error & { code?: string }) => {
      this.#error ??= error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED" ? new ClosedPipe() : error;
      this.#closed.abort(this.#error);
    });
  }

  /** Resolves once the operating system has the text, or the bytes. Rejects with ClosedPipe, or what else went wrong (a full disk). */
  async write(text: string | Uint8Array): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    const waiting = AbortSignal.any([this.signal, this.#stop]);
    await new Promise<void>((resolve, reject) => {
      // A turn later: a reader that is there has taken the text by then, and what is printed counts as printed.
      const giveUp = (): void => void setImmediate(() => reject(this.#error ?? waiting.reason));
      waiting.addEventListener("abort", giveUp, { once: true });
      this.#stream.write(text, (error) => {
        // An error comes again as the stream's, which tells of what kind it is.
        if (error) return;
        waiting.removeEventListener("abort", giveUp);
        resolve();
      });
    });
  }

  /** Resolves when all is written, or cannot be; never rejects. */
  async flush(): Promise<void> {
    if (this.#stop.aborted || this.#stream.destroyed) return;
    await this.write("").catch(() => undefined);
  }

  /** Whether the end of the pipe was that nobody reads any more, which is no failure. */
  get readerGone(): boolean {
    return this.#error instanceof ClosedPipe;
  }
}
