import type { Repetition } from "@quadrant/lab";
import { SingleBar } from "cli-progress";
import type { Output } from "../output.ts";

/** How often a line is told where no bar can be drawn. */
const lineMs = 10_000;

/** How a run of the lab goes on, on stderr: a bar on a terminal, else a line now and then. Failures are told at once. */
export class LabProgress {
  readonly #output: Output;
  readonly #bar: SingleBar | undefined;
  #steps = 0;
  #done = 0;
  #toldMs = 0;

  constructor(output: Output) {
    this.#output = output;
    if (!output.animated) return;
    this.#bar = new SingleBar({
      format: "{bar} {percentage}%  {value} of {total}  {eta_formatted} left  {what}",
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      // Ctrl-C is handled in one place.
      gracefulExit: false,
      barsize: 24,
    });
  }

  begins(steps: number, done: number): void {
    this.#steps = steps;
    this.#done = done;
    this.#toldMs = performance.now();
    this.#bar?.start(steps, done, { what: "" });
    if (done > 0) this.#output.talk(`${done} of ${steps} repetitions were there already`);
  }

  running(what: string): void {
    this.#bar?.update({ what });
  }

  done({ experiment, cell, failure }: Repetition): void {
    this.#done++;
    this.#bar?.increment();
    if (failure !== undefined) this.#output.warn(`${experiment} ${JSON.stringify(cell)}: ${failure}`);
    if (this.#bar !== undefined || performance.now() - this.#toldMs < lineMs) return;
    this.#toldMs = performance.now();
    this.#output.talk(`${this.#done} of ${this.#steps} repetitions`);
  }

  stop(): void {
    this.#bar?.stop();
  }
}
