import { connect } from "@quadrant/bus";
import { describe, expect, it } from "vitest";
import { eventSubject, type JobEvent, progressSubject, type TaskEvent } from "./job.ts";
import { reportProgress, watchProgress } from "./report.ts";
import { type Progress, Tally } from "./tally.ts";

const task = (number: number): TaskEvent => ({
  kind: "task",
  worker: "w",
  task: number,
  bytes: 10,
  words: 2,
  letters: 3,
  unread: [],
});

describe("progress", () => {
  it("is made of events, published, and shown, the latest at last", async () => {
    const bus = await connect("memory:");
    const tally = new Tally("job");
    tally.extent = { files: 1, bytes: 30, tasks: 3, partitions: 1 };
    const report = await reportProgress(bus, "job", tally);
    const complete = Promise.withResolvers<Progress>();
    const watch = await watchProgress(bus, "job", 1, (progress) => {
      if (progress.tasksDone === 3) complete.resolve(progress);
    });
    for (const number of [0, 1, 1, 2]) await bus.publish(eventSubject("job", "task"), task(number));
    expect(await complete.promise).toMatchObject({ job: "job", bytesDone: 30, tasks: 3, letters: 12, events: 4 });
    await watch[Symbol.asyncDispose]();
    await report[Symbol.asyncDispose]();
    await bus.close();
  });

  it("is published for the last time when the job is closed", async () => {
    const bus = await connect("memory:");
    const published = await bus.subscribe<Progress>(progressSubject("job"));
    const tally = new Tally("job");
    const report = await reportProgress(bus, "job", tally);
    tally.end("cancelled");
    await report[Symbol.asyncDispose]();
    for await (const { data } of published) {
      if (data.phase !== "cancelled") continue;
      expect(data).toEqual(tally.progress());
      break;
    }
    await bus.close();
  });
});

describe("the tally", () => {
  it("counts what is done twice once, and workers as they come and go", () => {
    const tally = new Tally("job");
    tally.extent = { files: 2, bytes: 40, tasks: 4, partitions: 2 };
    const partition: JobEvent = { kind: "partition", worker: "w", partition: 1, words: 5, letters: 4, repeats: 1 };
    const joined: JobEvent = { kind: "worker", worker: "w", state: "joined" };
    for (const event of [joined, joined, task(1), task(1), partition, partition]) tally.add(event);
    expect(tally.progress()).toMatchObject({ workers: 1, tasksDone: 1, bytesDone: 10, partitionsDone: 1, repeats: 1 });
    tally.add({ kind: "worker", worker: "w", state: "left" });
    expect(tally.progress().workers).toBe(0);
  });

  it("is complete when the job is, whatever events were lost", () => {
    const tally = new Tally("job");
    tally.extent = { files: 2, bytes: 40, tasks: 4, partitions: 2 };
    tally.end("done");
    expect(tally.progress()).toMatchObject({ phase: "done", tasksDone: 4, bytesDone: 40, partitionsDone: 2 });
    expect(tally.progress().elapsedMs).toBe(tally.progress().elapsedMs);
  });
});
