import { randomUUID } from "node:crypto";
import { type Bus, connect } from "@quadrant/bus";
import { afterEach, describe, expect, it, vi } from "vitest";
import { JobLog } from "../roles/job-log.ts";
import { type BoardOptions, couplings, dispatchOf, type Report, type TaskBoard, type TaskSource } from "./dispatch.ts";

const never = new AbortController().signal;
const leaseMs = 400;

/** A master and workers on a bus of their own, each with its own connection. */
class Stage {
  readonly url = `memory:${randomUUID()}`;
  readonly job = "job";
  readonly reports: Report[] = [];
  readonly #coupling: (typeof couplings)[number];
  readonly #opened: { close(options?: { readonly drainMs: number }): Promise<unknown> }[] = [];

  constructor(coupling: (typeof couplings)[number]) {
    this.#coupling = coupling;
  }

  async bus(): Promise<Bus> {
    const bus = await connect(this.url);
    this.#opened.push(bus);
    return bus;
  }

  async board(
    onReport: BoardOptions["onReport"] = async (report) => void this.reports.push(report),
  ): Promise<TaskBoard> {
    const bus = await this.bus();
    const log = await JobLog.open(bus, this.job, never);
    await log.takeOver("master");
    const board = await dispatchOf(this.#coupling).board(bus, this.job, { epoch: log.epoch, leaseMs, onReport });
    this.#opened.push(board);
    return board;
  }

  async source(worker: string, bus?: Bus): Promise<TaskSource> {
    const source = await dispatchOf(this.#coupling).source(bus ?? (await this.bus()), this.job, {
      worker,
      leaseMs,
      signal: never,
    });
    this.#opened.push(source);
    return source;
  }

  async close(): Promise<void> {
    for (const each of this.#opened.reverse()) await each.close({ drainMs: 0 });
  }
}

const order = { kind: "map", words: ["ß", "\u{10400}"] };

describe.each(couplings)("tasks coupled by %s", (coupling) => {
  let stage: Stage;
  const set = (): Stage => {
    stage = new Stage(coupling);
    return stage;
  };
  afterEach(() => stage.close());

  it("reach a worker that waits, and one that comes later, each one worker", async () => {
    const { source, board } = await opened(set());
    const early = source.take(never);
    await board.offer({ id: "a", order });
    const first = await early;
    expect(first.offer).toEqual({ id: "a", order });
    await board.offer({ id: "b", order });
    const second = await (await stage.source("two")).take(never);
    expect(second.offer.id).toBe("b");
    await first.report({ offer: "a", attempt: "one-1", body: { n: 1 } });
    await second.report({ offer: "b", attempt: "two-1", body: { n: 2 } });
    await expect.poll(() => stage.reports.length).toBe(2);
    expect(stage.reports.map(({ attempt }) => attempt).sort()).toEqual(["one-1", "two-1"]);
  });

  it("are all done, whoever does them", async () => {
    const { board } = await opened(set());
    const ids = Array.from({ length: 30 }, (_, at) => `t${at}`);
    for (const id of ids) await board.offer({ id, order });
    const stop = new AbortController();
    const done: string[] = [];
    const working = ["one", "two", "three"].map(async (worker) => {
      const source = await stage.source(worker);
      for (let n = 0; ; n++) {
        const taken = await source.take(stop.signal);
        done.push(taken.offer.id);
        await taken.report({ offer: taken.offer.id, attempt: `${worker}-${n}`, body: null });
      }
    });
    await expect.poll(() => stage.reports.length, { timeout: 20_000 }).toBe(30);
    stop.abort();
    for (const each of await Promise.allSettled(working)) expect(each).toMatchObject({ reason: { code: "aborted" } });
    expect(done.sort()).toEqual([...ids].sort());
  });

  it("of a worker that has died come to another", async () => {
    const { board } = await opened(set());
    const bus = await stage.bus();
    const mortal = await stage.source("mortal", bus);
    await board.offer({ id: "a", order });
    await mortal.take(never);
    await bus.close({ drainMs: 0 });
    const heir = await (await stage.source("heir")).take(never);
    expect(heir.offer.id).toBe("a");
  });

  it("stay with a worker for as long as that takes", async () => {
    const { board, source } = await opened(set());
    await board.offer({ id: "a", order });
    const taken = await source.take(never);
    const other = await stage.source("other");
    const waiting = new AbortController();
    const stolen = other.take(waiting.signal).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, leaseMs * 3));
    expect(taken.signal.aborted).toBe(false);
    await taken.report({ offer: "a", attempt: "one-1", body: null });
    waiting.abort();
    expect(await stolen).toMatchObject({ code: "aborted" });
    await expect.poll(() => stage.reports.length).toBe(1);
  });

  it("that are given back come to another", async () => {
    const { board, source } = await opened(set());
    await board.offer({ id: "a", order });
    await (await source.take(never)).release();
    expect((await (await stage.source("two")).take(never)).offer.id).toBe("a");
  });

  it("that come when a worker has just stopped to wait are for another once it has left", async () => {
    const { board, source } = await opened(set());
    const stop = new AbortController();
    const waiting = source.take(stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: "aborted" });
    await board.offer({ id: "a", order });
    // It may have come to the one that no longer waits: nothing tells from outside.
    await new Promise((resolve) => setTimeout(resolve, leaseMs / 4));
    await source.close();
    expect((await (await stage.source("two")).take(never)).offer.id).toBe("a");
  });

  it("have a report that comes again until it is kept", async () => {
    let times = 0;
    stage = new Stage(coupling);
    const board = await stage.board(async (report) => {
      if (++times < 3) throw new Error("the log is away");
      stage.reports.push(report);
    });
    const source = await stage.source("one");
    await board.offer({ id: "a", order });
    const taken = await source.take(never);
    await taken.report({ offer: "a", attempt: "one-1", body: "done" });
    await expect.poll(() => stage.reports, { timeout: 20_000 }).toMatchObject([{ offer: "a", body: "done" }]);
  });

  it("of a master before are taken down; its reports reach the next one", async () => {
    const { board, source } = await opened(set());
    await board.offer({ id: "a", order });
    const taken = await source.take(never);
    await board.offer({ id: "b", order });
    await board.close();
    const second = await stage.board();
    await taken.report({ offer: "a", attempt: "one-1", body: null });
    await expect.poll(() => stage.reports.map(({ offer }) => offer)).toEqual(["a"]);
    await second.offer({ id: "c", order });
    expect((await source.take(never)).offer.id).toBe("c");
  });

  it("are waited for no longer than the signal", async () => {
    const { source } = await opened(set());
    const stop = new AbortController();
    const waiting = source.take(stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: "aborted" });
    await expect(source.take(stop.signal)).rejects.toMatchObject({ code: "aborted" });
  });

  it("leave nothing on the bus when they are cleared", async () => {
    const { board } = await opened(set());
    await board.offer({ id: "a", order });
    await board.close();
    const bus = await stage.bus();
    await dispatchOf(coupling).clear(bus, stage.job);
    await dispatchOf(coupling).clear(bus, stage.job);
    expect(await bus.list("mailbox")).toEqual([]);
    if ((await bus.list("space")).includes("mapreduce")) {
      expect(await (await bus.space("mapreduce")).rdAll(["task", String, String, String])).toEqual([]);
    }
  });

  async function opened(of: Stage): Promise<{ board: TaskBoard; source: TaskSource }> {
    return { board: await of.board(), source: await of.source("one") };
  }
});

it("a worker that comes late asks what is open, and does not wait until the master tells it again", async () => {
  // The master repeats by a timer, which stands still here.
  vi.useFakeTimers({ toFake: ["setInterval"] });
  const stage = new Stage("events");
  try {
    const board = await stage.board();
    await board.offer({ id: "a", order });
    await board.offer({ id: "b", order });
    // What was told of them is over.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const late = await stage.source("late");
    expect(["a", "b"]).toContain((await late.take(never)).offer.id);
  } finally {
    vi.useRealTimers();
    await stage.close();
  }
});
