import { beforeEach, describe, expect, it } from "vitest";
import type { Offer, TaskBoard } from "../dispatch/dispatch.ts";
import { JobState } from "./job-state.ts";
import type { AttemptBeat } from "./subject.ts";
import { completeSubmission } from "./submission.ts";
import type { TaskOrder } from "./task-order.ts";
import { TaskSchedule } from "./task-schedule.ts";
import type { TaskName } from "./transition.ts";

let offers: Offer[];
let withdrawn: string[];
let state: JobState;
let schedule: TaskSchedule;

const board: TaskBoard = {
  offer: async (offer) => void offers.push(offer),
  withdraw: async (id) => void withdrawn.push(id),
  close: async () => undefined,
};
const offered = (): readonly TaskName[] => offers.map(({ order }) => (order as TaskOrder).task);

/** A job of three map tasks and two reduce tasks. */
function start(speculative: boolean = true): void {
  offers = [];
  withdrawn = [];
  const request = {
    job: "job",
    reference: { module: "word-count" },
    inputs: [],
    out: "out",
    reducers: 2,
    workers: 2,
    leaseMs: 90,
  };
  const submission = completeSubmission({ ...request, speculative });
  state = new JobState("job");
  state.apply({ kind: "submitted", at: 1, submission });
  state.apply({ kind: "split", splits: [1, 2, 3].map((bytes) => ({ ranges: [], bytes })) });
  state.apply({ kind: "planned", at: 2, extent: { files: 3, bytes: 6, binary: 0, unread: [] } });
  schedule = new TaskSchedule(state, submission, board);
}

function begin(task: TaskName, attempt: string): void {
  const offer = offers[offered().lastIndexOf(task)]!.id;
  const beat: AttemptBeat = { offer, task, attempt, worker: "w", pid: 0, progress: { bytes: 0, records: 0 } };
  schedule.hear(beat);
}

function map(index: number, ms: number): void {
  const result = { index, runs: [], counters: {}, skipped: [] };
  state.apply({ kind: "mapped", at: 3, attempt: `a${index}`, worker: "w", ms, result });
  schedule.settle(offers[offered().indexOf(`map-${index}`)]!.id, `a${index}`);
}

const longerThan = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms + 20));

beforeEach(() => start());

describe("the schedule", () => {
  it("offers each map task once, and reduce tasks when all of them are done", async () => {
    await schedule.fill();
    await schedule.fill();
    expect(offered()).toEqual(["map-0", "map-1", "map-2"]);
    for (const index of [0, 1, 2]) map(index, 1);
    await schedule.fill();
    expect(offered().slice(3)).toEqual(["reduce-0", "reduce-1"]);
    expect(schedule.wanted).toBe(2);
  });

  it("offers a task that was lost again, and withdraws the offers of one that is done", async () => {
    await schedule.fill();
    await schedule.finish("map-1");
    expect(withdrawn).toEqual([offers[1]!.id]);
    state.apply({ kind: "lost", at: 4, task: "map-1", name: "run" });
    await schedule.fill();
    expect(offered()).toEqual(["map-0", "map-1", "map-2", "map-1"]);
  });

  it("offers what nobody begins once more, where workers were there before and have gone quiet", async () => {
    await schedule.fill();
    await longerThan(30);
    await schedule.speculate();
    expect(offers).toHaveLength(3);
    begin("map-0", "a0");
    map(0, 1);
    await longerThan(30);
    await schedule.speculate();
    await schedule.speculate();
    expect(offered().slice(3)).toEqual(["map-1", "map-2"]);
  });

  it("does not take a task for slow before another has shown how long one takes, nor where it is not to speculate", async () => {
    for (const speculative of [true, false]) {
      start(speculative);
      await schedule.fill();
      for (const index of [0, 1, 2]) begin(`map-${index}`, `a${index}`);
      await schedule.speculate();
      expect(offers).toHaveLength(3);
    }
  });
});
