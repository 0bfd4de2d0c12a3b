import { encodeTemplate, encodeTuple } from "@quadrant/contract";
import type { Details } from "./event.ts";
import { greatest } from "./grouping.ts";
import type { Drawn } from "./sketch.ts";

/** What a test draws at random for one operation. */
export interface Step {
  readonly kind: "out" | "in" | "inp" | "rd" | "rdp" | "claim";
  readonly process: number;
  readonly bucket: number;
  /** How much is actual in the template: all of it, the bucket, nothing. */
  readonly template: "exact" | "bucket" | "any";
  /** How long before and after the moment at which it takes effect it begins and ends. */
  readonly before: number;
  readonly after: number;
}

const stepUs = 1_000;
export const space = "s";

export function tupleOf(bucket: number, n: number): string {
  return encodeTuple(["t", bucket, n]);
}

export const everything: string = encodeTemplate(["t", Number, Number]);

interface Resident {
  readonly bucket: number;
  readonly n: number;
}

function templateOf({ template, bucket }: Step, wanted: number): string {
  if (template === "any") return everything;
  return encodeTemplate(template === "exact" ? ["t", bucket, wanted] : ["t", bucket, Number]);
}

/**
 * A history of a space that keeps every promise: each operation takes effect at a moment of its own, and is under way for
 * some time around it, together with others. Ends with a reading of all that is left.
 */
export function drawnHistory(steps: readonly Step[]): Drawn[] {
  const resident: Resident[] = [];
  const drawn: Drawn[] = [];
  let put = 0;
  for (const [at, step] of steps.entries()) {
    const moment = (at + 2) * stepUs;
    const base = {
      process: `p${step.process}`,
      on: space,
      n: at + 1,
      began: moment - step.before,
      ended: moment + step.after,
    };
    if (step.kind === "out") {
      resident.push({ bucket: step.bucket, n: put });
      drawn.push({ ...base, op: "space.out", args: { tuple: tupleOf(step.bucket, put++) } });
      continue;
    }
    const wanted = step.before % Math.max(1, put);
    const template = templateOf(step, wanted);
    const found = resident.findIndex(
      ({ bucket, n }) =>
        step.template === "any" || (bucket === step.bucket && (step.template === "bucket" || n === wanted)),
    );
    const waits = step.kind === "in" || step.kind === "rd" || step.kind === "claim";
    const args: Details = {
      template,
      ...(waits && { timeoutMs: 0 }),
      ...(step.kind === "claim" && { leaseMs: 1_000 }),
    };
    const op = `space.${step.kind}`;
    if (found < 0) {
      const failed = waits ? { outcome: "failed" as const, code: "timeout" } : { value: {} };
      drawn.push({ ...base, op, args, ...failed });
      continue;
    }
    const { bucket, n } = resident[found]!;
    drawn.push({ ...base, op, args, value: { tuple: tupleOf(bucket, n) } });
    if (step.kind === "in" || step.kind === "inp") resident.splice(found, 1);
    if (step.kind !== "claim") continue;
    // Settled at once, while it is still under way for others.
    const settled = step.before % 2 === 0 ? "claim.ack" : "claim.nak";
    if (settled === "claim.ack") resident.splice(found, 1);
    const ended = moment + step.after;
    drawn.push({ ...base, n: at + 100_001, op: settled, args: { of: at + 1 }, began: ended, ended: ended + 1 });
  }
  const began = (steps.length + 5) * stepUs;
  const value = { tuples: resident.map(({ bucket, n }) => tupleOf(bucket, n)) };
  return [
    ...drawn,
    { process: "last", op: "space.rdAll", on: space, args: { template: everything }, began, ended: began + 10, value },
  ];
}

function isTake({ op, value }: Drawn): boolean {
  return (op === "space.in" || op === "space.inp") && value?.tuple !== undefined;
}

function after(drawn: readonly Drawn[]): number {
  return greatest(drawn.map(({ ended }) => ended ?? 0)) + stepUs;
}

function appended(drawn: readonly Drawn[], op: string, args: Details, value: Details): Drawn[] {
  const began = after(drawn);
  return [...drawn, { process: "late", op: `space.${op}`, on: space, args, began, ended: began + 10, value }];
}

function withLast(drawn: readonly Drawn[], change: (tuples: readonly string[]) => readonly string[]): Drawn[] {
  const last = drawn.at(-1)!;
  return [...drawn.slice(0, -1), { ...last, value: { tuples: change(last.value!.tuples!) } }];
}

/** Faults, each planted where the history has a place for it; undefined where it has none. `pick` chooses the place. */
export const plants: Readonly<
  Record<
    string,
    { readonly rules: readonly string[]; plant(drawn: readonly Drawn[], pick: number): Drawn[] | undefined }
  >
> = {
  "lose: what is left is not there": {
    rules: ["missed"],
    plant: (drawn, pick) => {
      const left = drawn.at(-1)!.value!.tuples!;
      return left.length === 0
        ? undefined
        : withLast(drawn, (tuples) => tuples.filter((_, at) => at !== pick % left.length));
    },
  },
  "duplicate: taken again": {
    rules: ["taken-twice", "resurrected"],
    plant: (drawn, pick) => {
      const takes = drawn.filter(isTake);
      const take = takes[pick % Math.max(1, takes.length)];
      return take && appended(drawn, "inp", { template: everything }, { tuple: take.value!.tuple! });
    },
  },
  "alter: what is taken was put otherwise": {
    rules: ["invented"],
    plant: (drawn, pick) => {
      const takes = drawn.filter(isTake);
      const take = takes[pick % Math.max(1, takes.length)];
      return take && drawn.map((each) => (each === take ? { ...each, value: { tuple: tupleOf(0, 1_000_000) } } : each));
    },
  },
  "reorder: the younger first": {
    rules: ["out-of-turn"],
    plant: (drawn) => {
      const began = after(drawn);
      const base = { process: "late", on: space };
      const at = (offset: number): { began: number; ended: number } => ({
        began: began + offset,
        ended: began + offset + 5,
      });
      const [older, younger] = [tupleOf(77, 1), tupleOf(77, 2)];
      const template = encodeTemplate(["t", 77, Number]);
      return [
        ...drawn,
        { ...base, ...at(0), op: "space.out", args: { tuple: older } },
        { ...base, ...at(10), op: "space.out", args: { tuple: younger } },
        { ...base, ...at(20), op: "space.in", args: { template }, value: { tuple: younger } },
        { ...base, ...at(30), op: "space.in", args: { template }, value: { tuple: older } },
      ];
    },
  },
  "invent: read what nobody has put": {
    rules: ["invented"],
    plant: (drawn) => appended(drawn, "rdp", { template: everything }, { tuple: tupleOf(1, 1_000_000) }),
  },
  "resurrect: read what was taken": {
    rules: ["resurrected"],
    plant: (drawn, pick) => {
      const takes = drawn.filter(isTake);
      const take = takes[pick % Math.max(1, takes.length)];
      return take && appended(drawn, "rd", { template: everything }, { tuple: take.value!.tuple! });
    },
  },
  "miss: nothing found though it is there": {
    rules: ["missed"],
    plant: (drawn) =>
      drawn.at(-1)!.value!.tuples!.length === 0 ? undefined : appended(drawn, "inp", { template: everything }, {}),
  },
  "sleep on: a waiter is not woken": {
    rules: ["not-woken"],
    plant: (drawn) => {
      if (drawn.at(-1)!.value!.tuples!.length === 0) return undefined;
      const [began, args] = [after(drawn), { template: everything, timeoutMs: 100 }];
      const ended = began + 101_000;
      const failed = { outcome: "failed", code: "timeout" } as const;
      return [...drawn, { process: "late", op: "space.in", on: space, args, began, ended, ...failed }];
    },
  },
  "mismatch: given what was not asked for": {
    rules: ["no-match"],
    plant: (drawn) => {
      const [tuple] = drawn.at(-1)!.value!.tuples!;
      if (tuple === undefined) return undefined;
      return appended(drawn, "rd", { template: encodeTemplate(["t", 99, Number]) }, { tuple });
    },
  },
};
