import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Bus, connect, type Log } from "@quadrant/bus";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dispatchOf } from "../dispatch/dispatch.ts";
import { runMapTask } from "../task/map-task.ts";
import { runApplicationMaster } from "./application-master.ts";
import { runJob } from "./embedded.ts";
import { awaitJob, cancelJob, followJob, submitJob } from "./job-client.ts";
import { type Entry, readJob } from "./job-log.ts";
import { openStores } from "./job-surroundings.ts";
import { type AttemptBeat, attemptSubject, eventSubject, type JobEvent } from "./subject.ts";
import type { Submission, SubmissionRequest } from "./submission.ts";
import type { ReportBody, TaskOrder } from "./task-order.ts";
import { workOn } from "./worker.ts";

const never = new AbortController().signal;
const text = "the constructor of __proto__\nThe bus, the BUS\r\n".repeat(20);
const counted = "bus\t40\nconstructor\t20\nof\t20\nproto\t20\nthe\t60\n";

let folder = "";
let out = "";
let buses: Bus[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-test-"));
  out = join(folder, "out");
  await mkdir(join(folder, "in"));
  for (const at of [0, 1, 2, 3]) await writeFile(join(folder, "in", `${at}.txt`), text.slice(0, text.length / 4));
});
afterEach(async () => {
  for (const bus of buses) await bus.close({ drainMs: 0 });
  buses = [];
  await rm(folder, { recursive: true, force: true });
});

const name = (): string => `memory:${randomUUID()}`;

async function busAt(url: string): Promise<Bus> {
  const bus = await connect(url);
  buses.push(bus);
  return bus;
}

function request(change: Partial<SubmissionRequest> = {}): SubmissionRequest {
  const inputs = [join(folder, "in")];
  // A split for each file.
  return {
    reference: { module: "word-count" },
    inputs,
    out,
    job: "job",
    splitBytes: 300,
    reducers: 2,
    leaseMs: 1_000,
    ...change,
  };
}

/** The result's lines, sorted: which part a word is in is of no interest here. */
async function result(): Promise<string> {
  expect(await readdir(out)).toEqual(["_SUCCESS", "part-00000-of-2", "part-00001-of-2"]);
  const parts = await Promise.all([0, 1].map((at) => readFile(join(out, `part-0000${at}-of-2`), "utf8")));
  return `${parts.join("").trimEnd().split("\n").sort().join("\n")}\n`;
}

/** A job whose map is the text of a function. */
async function jobOf(
  map: string,
  reduce = "(key, values, emit) => emit([key, [...values].length])",
): Promise<{ readonly module: string }> {
  const path = join(folder, `job-${randomUUID()}.mjs`);
  const engine = new URL("../job/job.ts", import.meta.url).href;
  await writeFile(
    path,
    `import { defineJob } from "${engine}";\nexport default defineJob({ name: "own", map: ${map}, reduce: ${reduce} });\n`,
  );
  return { module: pathToFileURL(path).href };
}

/** A worker of its own on the job, until the test ends or `stop`. */
function working(bus: Bus, worker: string): { stop(): Promise<void> } {
  const stop = new AbortController();
  const done = (async () => {
    while (!stop.signal.aborted) {
      await workOn(bus, "job", { worker, signal: stop.signal, leave: stop.signal }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    stop: () => {
      stop.abort();
      return done;
    },
  };
}

describe("a master that is killed", () => {
  /** A bus whose connection goes away before or after its n-th entry is appended. */
  function mortal(bus: Bus, at: number, when: "before" | "after"): { bus: Bus; died: () => boolean } {
    let times = 0;
    let died = false;
    const append = async (log: Log<Entry>, args: Parameters<Log<Entry>["append"]>): Promise<unknown> => {
      if (++times !== at) return log.append(...args);
      if (when === "after") await log.append(...args);
      died = true;
      await bus.close({ drainMs: 0 });
      throw new Error("killed");
    };
    const bound = (target: object, key: PropertyKey): unknown => {
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    };
    const logOf = (log: Log<Entry>): unknown =>
      new Proxy(log, { get: (_, key) => (key === "append" ? (...args: never) => append(log, args) : bound(log, key)) });
    const proxy = new Proxy(bus, {
      get: (_, key) =>
        key === "log"
          ? async (...args: never) => logOf(await (bus.log as (...a: never) => Promise<Log<Entry>>)(...args))
          : bound(bus, key),
    });
    return { bus: proxy, died: () => died };
  }

  it.each(["before", "after"] as const)(
    "%s any of its decisions is kept changes nothing in the result",
    async (when) => {
      let at = 1;
      for (let alive = false; !alive; at++) {
        const url = name();
        const bus = await busAt(url);
        await submitJob(bus, request({ coupling: at % 2 === 0 ? "mailbox" : "space" }));
        const worker = working(bus, "worker");
        const victim = mortal(await busAt(url), at, when);
        await runApplicationMaster(victim.bus, "job", { name: "victim", signal: never }).catch(() => undefined);
        alive = !victim.died();
        await runApplicationMaster(bus, "job", { name: "heir", signal: never });
        expect(await awaitJob(bus, "job", never)).toMatchObject({ outcome: "done", failures: 0, maps: 4, reduces: 2 });
        expect(await result()).toBe(counted);
        await worker.stop();
        await rm(out, { recursive: true });
      }
      // Taken over, split, planned, some of four map tasks and two reduce tasks at a time, ended.
      expect(at).toBeGreaterThan(6);
    },
  );

  it("or was stopped and goes on when another has taken over, decides nothing any more", async () => {
    const bus = await busAt(name());
    await submitJob(bus, request());
    const first = runApplicationMaster(bus, "job", { name: "first", signal: never });
    await expect.poll(async () => (await readJob(bus, "job"))?.planned).toBe(true);
    const second = runApplicationMaster(bus, "job", { name: "second", signal: never });
    await expect(first).rejects.toMatchObject({ code: "conflict" });
    const worker = working(bus, "worker");
    await second;
    expect(await result()).toBe(counted);
    await worker.stop();
  });
});

describe("attempts", () => {
  /** Takes tasks by hand, as a worker that was stopped and goes on. */
  async function hand(bus: Bus, submission: Submission, worker: string) {
    const source = await dispatchOf(submission.coupling).source(bus, "job", {
      worker,
      leaseMs: submission.leaseMs,
      signal: never,
    });
    const stores = await openStores(bus, submission);
    let attempts = 0;
    return {
      map: async () => {
        const taken = await source.take(never);
        const order = taken.offer.order as TaskOrder;
        if (order.kind !== "map") throw new Error("no map task");
        const attempt = `${worker}-${++attempts}`;
        const made = await runMapTask({ ...order.work, attempt }, { ...stores, scratch: join(folder, worker) });
        const body: ReportBody = {
          kind: "mapped",
          result: made,
          attempt,
          worker,
          ms: 1,
          round: order.round,
          task: order.task,
        };
        return {
          taken,
          order,
          made,
          attempt,
          body,
          report: () => taken.report({ offer: taken.offer.id, attempt, body }),
        };
      },
      close: () => source.close(),
    };
  }

  it("of which two report the same task together: one counts, whichever", async () => {
    const bus = await busAt(name());
    const submission = await submitJob(bus, request({ coupling: "direct" }));
    const master = runApplicationMaster(bus, "job", { name: "master", signal: never });
    const one = await hand(bus, submission, "one");
    const { taken, order, body, attempt } = await one.map();
    const other = await runMapTask(
      { ...(order.work as never as Parameters<typeof runMapTask>[0]), attempt: "two-1" },
      { ...(await openStores(bus, submission)), scratch: join(folder, "two") },
    );
    const rival: ReportBody = {
      kind: "mapped",
      result: other,
      attempt: "two-1",
      worker: "two",
      ms: 1,
      round: 1,
      task: order.task,
    };
    await Promise.all([
      taken.report({ offer: taken.offer.id, attempt, body }),
      taken.report({ offer: taken.offer.id, attempt: "two-1", body: rival }),
    ]);
    const state = await readJob(bus, "job");
    const winner = state?.task(order.task).done?.attempt;
    expect(["two-1", attempt]).toContain(winner);
    expect(state?.finished).toHaveLength(1);
    const worker = working(bus, "worker");
    await master;
    const ended = await readJob(bus, "job");
    expect(ended?.finished.filter(({ task }) => task === order.task)).toMatchObject([{ attempt: winner }]);
    expect(await result()).toBe(counted);
    await worker.stop();
    await one.close();
  });

  it.each(["direct", "mailbox", "events", "space"] as const)(
    "coupled by %s: one that was given to another by then is refused, or ignored",
    async (coupling) => {
      const url = name();
      const bus = await busAt(url);
      const submission = await submitJob(bus, request({ coupling, leaseMs: 300 }));
      const master = runApplicationMaster(bus, "job", { name: "master", signal: never });
      const zombie = await hand(await busAt(url), submission, "zombie");
      const stopped = await zombie.map();
      const worker = working(bus, "worker");
      // As SIGSTOP does: for longer than the lease nothing runs here.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
      const reported = await stopped.report().then(
        () => "kept",
        (error: { code: string }) => error.code,
      );
      await master;
      expect(await result()).toBe(counted);
      const { finished } = (await readJob(bus, "job"))!;
      expect(finished.filter(({ task }) => task === stopped.order.task)).toHaveLength(1);
      expect(["stale", "kept", "indefinite", "aborted"]).toContain(reported);
      await worker.stop();
      await zombie.close();
    },
  );

  it("whose output is lost before it is fetched are made again", async () => {
    const bus = await busAt(name());
    const submission = await submitJob(bus, request({ coupling: "space" }));
    const master = runApplicationMaster(bus, "job", { name: "master", signal: never });
    const one = await hand(bus, submission, "one");
    for (let at = 0; at < 4; at++) await (await one.map()).report();
    await expect.poll(async () => (await readJob(bus, "job"))?.mapsDone).toBe(true);
    const lost = (await readJob(bus, "job"))!.maps[2]!.result!.runs[0]!;
    const { runs } = await openStores(bus, submission);
    expect(await runs.remove(lost.name)).toBe(true);
    const worker = working(bus, "two");
    await master;
    expect(await awaitJob(bus, "job", never)).toMatchObject({ outcome: "done", lost: 1, maps: 5 });
    expect(await result()).toBe(counted);
    await worker.stop();
    await one.close();
  });

  it("of a worker that leaves and comes back are told apart from those before", async () => {
    const bus = await busAt(name());
    await submitJob(bus, request());
    const master = runApplicationMaster(bus, "job", { name: "master", signal: never });
    const finished = async (): Promise<number> => (await readJob(bus, "job"))?.finished.length ?? 0;
    for (let done = 0; done < 6; done = await finished()) {
      const leave = new AbortController();
      const visit = workOn(bus, "job", { worker: "worker", signal: never, leave: leave.signal });
      await expect.poll(finished).toBeGreaterThan(done);
      leave.abort();
      await visit;
    }
    await master;
    expect(await result()).toBe(counted);
  });

  it("that are slow are begun a second time, and do not matter any more", async () => {
    const bus = await busAt(name());
    const submission = await submitJob(bus, request({ coupling: "mailbox", leaseMs: 60_000 }));
    const master = runApplicationMaster(bus, "job", { name: "master", signal: never });
    const straggler = await hand(bus, submission, "straggler");
    const slow = await straggler.map();
    const beat: AttemptBeat = {
      ...{ offer: slow.taken.offer.id, task: slow.order.task, attempt: slow.attempt },
      ...{ worker: "straggler", pid: 0, progress: { bytes: 0, records: 0 } },
    };
    const beating = setInterval(() => void bus.publish(attemptSubject("job"), beat), 50);
    const worker = working(bus, "worker");
    await master;
    clearInterval(beating);
    expect(await result()).toBe(counted);
    const { finished } = (await readJob(bus, "job"))!;
    expect(finished.find(({ task }) => task === slow.order.task)).toMatchObject({ worker: "worker" });
    await worker.stop();
    await straggler.close();
  });
});

describe("a job", () => {
  it("leaves a record out that failed twice, says where it was, and is done", async () => {
    await writeFile(join(folder, "in", "0.txt"), "good\npoison\nbetter\n");
    const reference = await jobOf(
      '(line, emit) => { if (line === "poison") throw new Error("it tastes bad"); emit(line.trim(), 1); }',
    );
    const bus = await busAt(name());
    const summary = await runJob(bus, request({ reference }), { embedded: true });
    expect(summary).toMatchObject({ outcome: "done", failures: 2 });
    expect(summary.skipped).toMatchObject([
      { record: { path: join(folder, "in", "0.txt"), offset: 5 }, message: expect.stringContaining("it tastes bad") },
    ]);
    expect(await result()).toContain("better\t1\n");
    expect(await result()).not.toContain("poison");
  });

  it("that cannot go on fails with the stack of what was thrown, and leaves nothing in its folder", async () => {
    const reference = await jobOf('(line) => { throw new TypeError("not " + line); }');
    const bus = await busAt(name());
    const summary = await runJob(bus, request({ reference, maxSkipped: 0 }), { embedded: true });
    expect(summary).toMatchObject({
      outcome: "failed",
      error: { message: expect.stringContaining("not the constructor") },
    });
    expect(summary.error?.stack).toMatch(/TypeError: not .*\n\s+at .*job-.*\.mjs/);
    expect(await readdir(out)).toEqual([]);
  });

  it("whose module does not load fails at once", async () => {
    const bus = await busAt(name());
    const summary = await runJob(bus, request({ reference: { module: "file:///nowhere.mjs" } }), { embedded: true });
    expect(summary).toMatchObject({
      outcome: "failed",
      failures: 0,
      error: { message: expect.stringContaining("nowhere") },
    });
  });

  it("that is cancelled in the middle leaves no file", async () => {
    const bus = await busAt(name());
    const reference = await jobOf(
      "(line, emit) => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5); emit(line, 1); }",
    );
    const events = await bus.subscribe<JobEvent>(eventSubject("job"));
    const running = runJob(bus, request({ reference }), { embedded: true });
    for await (const { data } of events) if (data.kind === "mapped") break;
    expect(await cancelJob(bus, "job")).toBe(true);
    expect(await running).toMatchObject({ outcome: "cancelled" });
    expect(await readdir(out)).toEqual([]);
    expect(await bus.list("mailbox")).toEqual(["mapreduce.submissions"]);
    expect(await cancelJob(bus, "job")).toBe(false);
    await expect(cancelJob(bus, "another")).rejects.toMatchObject({ code: "invalid" });
  });

  it("without files, with an empty file, with more parts than keys is done", async () => {
    await mkdir(join(folder, "none"));
    await writeFile(join(folder, "empty"), "");
    await writeFile(join(folder, "word"), "word");
    for (const [path, lines] of [
      ["none", ""],
      ["empty", ""],
      ["word", "word\t1\n"],
    ] as const) {
      const bus = await busAt(name());
      const summary = await runJob(bus, request({ inputs: [join(folder, path)], reducers: 3 }), { embedded: true });
      expect(summary).toMatchObject({ outcome: "done", reduces: 3 });
      const parts = await Promise.all(
        (await readdir(out)).filter((each) => each !== "_SUCCESS").map((each) => readFile(join(out, each), "utf8")),
      );
      expect(parts).toHaveLength(3);
      expect(parts.join("")).toBe(lines);
      await rm(out, { recursive: true });
    }
  });

  it("moves everything over the bus where there is no folder to share", async () => {
    const bus = await busAt(name());
    const summary = await runJob(bus, request({ shuffle: "bus" }), { embedded: true });
    expect(summary).toMatchObject({ outcome: "done", maps: 4 });
    expect(await result()).toBe(counted);
    expect(await bus.list("blobs")).toEqual([]);
  });

  it("of several rounds reads in each what the one before wrote, whoever is its master", async () => {
    const links = new Map([
      ["a", ["b", "c"]],
      ["b", ["c"]],
      ["c", ["a"]],
    ]);
    await writeFile(join(folder, "graph"), [...links].map(([page, to]) => `${[page, 1, ...to].join("\t")}\n`).join(""));
    let ranks = new Map([...links.keys()].map((page) => [page, 1]));
    for (let round = 0; round < 4; round++) {
      const next = new Map([...links.keys()].map((page) => [page, 0.15]));
      for (const [page, to] of links) {
        for (const each of to) next.set(each, next.get(each)! + (0.85 * ranks.get(page)!) / to.length);
      }
      ranks = next;
    }
    const bus = await busAt(name());
    const reference = { module: "page-rank", options: { rounds: 4 } };
    const events = await bus.subscribe<JobEvent>(eventSubject("job"));
    await submitJob(bus, request({ reference, inputs: [join(folder, "graph")] }));
    const worker = working(bus, "worker");
    const stop = new AbortController();
    const first = runApplicationMaster(bus, "job", { name: "first", signal: stop.signal });
    for await (const { data } of events) if (data.kind === "next-round") break;
    stop.abort();
    await expect(first).rejects.toMatchObject({ code: "aborted" });
    await runApplicationMaster(bus, "job", { name: "second", signal: never });
    await worker.stop();
    expect(await awaitJob(bus, "job", never)).toMatchObject({ outcome: "done", rounds: 4, takeovers: 1 });
    const found = new Map(
      (await result())
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t") as [string, string]),
    );
    for (const [page, rank] of ranks) expect(Number(found.get(page))).toBeCloseTo(rank, 9);
  });

  it("of several rounds is refused before its first task where parts are no files that all see", async () => {
    const bus = await busAt(name());
    const reference = { module: "page-rank", options: { rounds: 4 } };
    const summary = await runJob(bus, request({ reference, shuffle: "bus" }), { embedded: true });
    expect(summary).toMatchObject({ outcome: "failed", maps: 0 });
    expect(summary.error?.message).toMatch(/page-rank is iterated.*shuffle "files"/);
    expect(await bus.list("blobs")).toEqual([]);
  });

  it("can be followed from its beginning when it has ended, and does not run twice", async () => {
    const bus = await busAt(name());
    await runJob(bus, request(), { embedded: true });
    const kinds: string[] = [];
    for await (const { kind } of followJob(bus, "job", never)) kinds.push(kind);
    expect(kinds).toEqual([
      "submitted",
      "taken-over",
      "split",
      "planned",
      ...Array(4).fill("mapped"),
      ...Array(2).fill("reduced"),
      "ended",
    ]);
    await expect(submitJob(bus, request({ reducers: 1 }))).rejects.toMatchObject({ code: "conflict" });
    await runApplicationMaster(bus, "job", { name: "late", signal: never });
    expect((await readJob(bus, "job"))?.masters).toBe(1);
  });

  it.each([
    [{ coupling: "telepathy" as never }, /telepathy/],
    [{ reducers: 0 }, /reducers/],
    [{ job: "a.b" }, /job id/],
    [{ shuffle: "post" as never }, /post/],
  ])("asked for with %j is refused at once", async (wrong, message) => {
    const bus = await busAt(name());
    const error = await submitJob(bus, request(wrong)).catch((each: unknown) => each);
    expect(error).toMatchObject({ code: "invalid", message: expect.stringMatching(message) });
  });
});
