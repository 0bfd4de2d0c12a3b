/** What a run has found so far, as lines of JSON: the first says what run it is, each other is one repetition. */
import { type FileHandle, mkdir, open, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../bench/environment.ts";
import type { Cell } from "../experiments/experiment.ts";

export interface RunHead {
  readonly format: 1;
  readonly seed: number;
  readonly quick: boolean;
  readonly repetitions: number;
  readonly experiments: readonly string[];
  readonly drivers: readonly string[];
  readonly startedAt: string;
  readonly command: string;
  readonly environment: Environment;
}

export interface Repetition {
  readonly experiment: string;
  readonly cell: Cell;
  readonly repetition: number;
  readonly again: boolean;
  /** undefined where it failed. */
  readonly values?: Readonly<Record<string, number | undefined>> | undefined;
  readonly failure?: string | undefined;
  readonly tookMs: number;
  /** The system's load average when it began. */
  readonly load: number;
  /** Of the servers that it took place on. */
  readonly version?: string | undefined;
}

const name = "run.jsonl";

export interface RecordedRun {
  readonly head: RunHead;
  readonly repetitions: readonly Repetition[];
}

/** Reads a folder's run; undefined where there is none. What a killed run has half written is left out. */
export async function readRun(folder: string): Promise<RecordedRun | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, name), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const lines = text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "");
  if (lines.length === 0) return undefined;
  const [head, ...repetitions] = lines.map((line) => JSON.parse(line)) as [RunHead, ...Repetition[]];
  if (head.format !== 1) throw new Error(`${join(folder, name)} is of another version of the lab: use another folder`);
  return { head, repetitions };
}

/** A run that is being recorded. Every line is on disk when `add` resolves. */
export class RunFile implements AsyncDisposable {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Begins a run, or goes on with the one that is there. */
  static async open(folder: string, head: RunHead, goesOn: boolean): Promise<RunFile> {
    await mkdir(folder, { recursive: true });
    const path = join(folder, name);
    if (goesOn) {
      // Half a line would spoil the next.
      const text = await readFile(path);
      await truncate(path, text.lastIndexOf(0x0a) + 1);
    }
    const file = new RunFile(await open(path, goesOn ? "a" : "w"));
    if (!goesOn) await file.#write(head);
    return file;
  }

  add(repetition: Repetition): Promise<void> {
    return this.#write(repetition);
  }

  async #write(line: RunHead | Repetition): Promise<void> {
    await this.#file.appendFile(`${JSON.stringify(line)}\n`);
    await this.#file.datasync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
