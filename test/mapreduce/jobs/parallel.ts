import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineJob, type Job, type TextLine } from "@quadrant/mapreduce";

interface Options {
  readonly folder: string;
  readonly phase: "map" | "reduce";
}

const cell = new Int32Array(new SharedArrayBuffer(4));
const patienceMs = 30_000;

/** How many processes are in the phase at the same time: each waits until there is another. */
function meet({ folder, phase }: Options): number {
  writeFileSync(join(folder, `${phase}-${process.pid}`), "");
  const present = (): number => readdirSync(folder).filter((name) => name.startsWith(`${phase}-`)).length;
  for (let waited = 0; present() < 2 && waited < patienceMs; waited += 20) Atomics.wait(cell, 0, 0, 20);
  return present();
}

/** MIT 6.5840's mtiming and rtiming: says with how many others a task ran. Each execution of a phase leaves a line. */
export default function parallel(options: Options): Job<string, string, number, TextLine> {
  const log = join(options.folder, "executions");
  return defineJob<string, number>({
    name: "parallel",
    map: (line, emit, { path }) => {
      appendFileSync(log, `${path}\n`);
      emit(line, options.phase === "map" ? meet(options) : 1);
    },
    reduce: (key, [value = 0], emit) => emit([key, options.phase === "reduce" ? meet(options) : value]),
  });
}

export function executionsIn(folder: string): readonly string[] {
  return readFileSync(join(folder, "executions"), "utf8").trimEnd().split("\n");
}
