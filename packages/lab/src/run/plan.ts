import { createHash } from "node:crypto";
import type { Cell, DriverName, Experiment, Level } from "../experiments/experiment.ts";

export interface PlanTerms {
  readonly experiments: readonly Experiment[];
  readonly drivers: readonly DriverName[];
  readonly quick: boolean;
  /** Of each cell. */
  readonly repetitions: number;
  /** The same gives the same order. */
  readonly seed: number;
}

/** One repetition of one cell. */
export interface Step {
  readonly experiment: Experiment;
  readonly cell: Cell;
  readonly repetition: number;
  /** The same cell once more, as if it were another: what differs between the two is noise (an A/A test). */
  readonly again: boolean;
}

/** By which a step is known in a run file. */
export function keyOf({ experiment, cell, repetition, again }: Step): string {
  return `${experiment.name} ${cellKey(cell)} ${repetition}${again ? " again" : ""}`;
}

export function cellKey(cell: Cell): string {
  return Object.entries(cell)
    .map(([factor, level]) => `${factor}=${String(level)}`)
    .join(" ");
}

/** All combinations of the levels, those that are omitted aside. */
export function cellsOf(experiment: Experiment, drivers: readonly DriverName[], quick: boolean): readonly Cell[] {
  let cells: Readonly<Record<string, Level>>[] = [{}];
  for (const [factor, all] of Object.entries(experiment.factors)) {
    const levels = (quick ? experiment.quick?.[factor] : undefined) ?? all;
    const taken = factor === "driver" ? levels.filter((level) => drivers.includes(level as DriverName)) : levels;
    cells = cells.flatMap((cell) => taken.map((level) => ({ ...cell, [factor]: level })));
  }
  return (cells as unknown as Cell[]).filter((cell) => experiment.omit?.(cell) === undefined);
}

/**
 * Every repetition of every cell, in an order by chance: what drifts on the machine while a run goes on falls on all alike.
 * The order is that of a hash of seed and step, so that leaving out a driver or an experiment does not change that of the rest.
 */
export function planOf({ experiments, drivers, quick, repetitions, seed }: PlanTerms): readonly Step[] {
  const steps = experiments.flatMap((experiment) => {
    const cells = cellsOf(experiment, drivers, quick);
    return cells.flatMap((cell, at) =>
      Array.from({ length: repetitions }, (_, repetition) => ({ experiment, cell, repetition, again: false })).flatMap(
        (step): readonly Step[] => (at === 0 && !quick ? [step, { ...step, again: true }] : [step]),
      ),
    );
  });
  const places = new Map(
    steps.map((step) => [
      step,
      createHash("sha256")
        .update(`${seed} ${keyOf(step)}`)
        .digest("hex"),
    ]),
  );
  return steps.toSorted((a, b) => (places.get(a)! < places.get(b)! ? -1 : 1));
}

/** A number for what a repetition leaves to chance. */
export function seedOf(step: Step, seed: number): number {
  return createHash("sha256")
    .update(`${seed} ${keyOf(step)} seed`)
    .digest()
    .readUInt32BE();
}
