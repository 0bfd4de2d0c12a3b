import type { Job } from "@quadrant/mapreduce";
import steady from "./steady.ts";

interface Options {
  /** How long a task that stalls does so, at most. */
  readonly stallMs: number;
}

/** MIT 6.5840's crash: map and reduce kill their process now and then, or stall. What they say is always the same. */
export default function crashing({ stallMs }: Options): Job<string, string, string> {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const maybeCrash = (chance: number): void => {
    const fate = Math.random();
    if (fate < chance) process.kill(process.pid, "SIGKILL");
    else if (fate < chance * 2) Atomics.wait(cell, 0, 0, Math.random() * stallMs);
  };
  return {
    ...steady,
    map: (line, emit, context) => {
      maybeCrash(0.03);
      steady.map(line, emit, context);
    },
    reduce: (word, paths, emit, context) => {
      maybeCrash(0.02);
      steady.reduce(word, paths, emit, context);
    },
  };
}
