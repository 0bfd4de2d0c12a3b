import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, connect } from "@quadrant/bus";
import type { AttemptBeat } from "@quadrant/mapreduce";
import { startHub } from "@quadrant/zeromq";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { multiply, naiveCount, seeded, writeCorpus } from "./main-job/corpus.ts";
import { allGone, descendants, killAll, type Program, quadrant, root, shell, start } from "./main-job/program.ts";

interface Summary {
  readonly distinct: number;
  readonly words: number;
  readonly files: number;
  readonly outcome: string;
  readonly url: string;
  readonly unread: readonly unknown[];
  readonly try: readonly string[];
  readonly top: readonly { readonly word: string; readonly count: number }[];
}

let corpus: string;
let longCorpus: string;
let expected: Map<string, number>;
let scratch: string;

beforeAll(async () => {
  corpus = await writeCorpus(20_261, 5_000_000);
  longCorpus = await multiply(corpus, 100);
  expected = await naiveCount(corpus);
  scratch = await mkdtemp(join(tmpdir(), "quadrant-main-job-"));
});
afterAll(() => Promise.all([corpus, longCorpus, scratch].map((folder) => rm(folder, { recursive: true }))));
afterEach(killAll);

async function wordsIn(folder: string): Promise<Map<string, number>> {
  const words = new Map<string, number>();
  for (const name of await readdir(folder)) {
    const lines = (await readFile(join(folder, name), "latin1")).split("\n").slice(0, -1);
    if (name === "_SUCCESS") continue;
    expect(lines).toEqual([...lines].sort());
    for (const line of lines) {
      const [word, count] = Buffer.from(line, "latin1").toString().split("\t");
      words.set(word!, Number(count));
    }
  }
  return words;
}

function summaryOf(out: string): Summary {
  return JSON.parse(out) as Summary;
}

/** A word count of `inputs`, by a program that starts all roles itself unless told. */
function count(...args: readonly string[]): Program {
  return quadrant("mapreduce", "run", "word-count", ...args, "--json", "--quiet");
}

describe("mapreduce run", () => {
  it.each([1, 2, 4])("with %d workers: word for word what the naive program counts", async (workers) => {
    const out = join(scratch, `words-${workers}`);
    const run = count(corpus, "--workers", String(workers), "--out", out);
    expect([await run.ended, run.err()]).toEqual([0, ""]);
    expect(await wordsIn(out)).toEqual(expected);
    expect((await readdir(out)).sort()).toEqual([
      "_SUCCESS",
      ...Array.from({ length: workers }, (_, part) => `part-0000${part}-of-${workers}`),
    ]);
    expect(summaryOf(run.out())).toMatchObject({ outcome: "done", failures: 0, unread: [] });
  });

  it.each([1, 2])("with workers killed at random, seed %d: the same", async (seed) => {
    await using hub = await startHub();
    await using bus = await connect(hub.url);
    const out = join(scratch, `killed-${seed}`);
    const killing = killWorkers(bus, seeded(seed));
    const options = ["--workers", "2", "--reducers", "4", "--lease", "1s", "--url", hub.url];
    const run = count(corpus, ...options, "--out", out);
    expect([await run.ended, run.err()]).toEqual([0, expect.stringContaining("SIGKILL")]);
    const killed = await killing.stop();
    expect(await wordsIn(out)).toEqual(expected);
    expect(killed).toBeGreaterThanOrEqual(4);
  });

  it("of an empty folder finds nothing, and says so in a part", async () => {
    const folder = join(scratch, "empty");
    await mkdir(folder);
    const out = join(scratch, "of-empty");
    const run = count(folder, "--out", out, "--reducers", "1");
    expect([await run.ended, run.err()]).toEqual([0, ""]);
    expect(summaryOf(run.out())).toMatchObject({ outcome: "done", files: 0, maps: 0 });
    expect(await readdir(out)).toEqual(["_SUCCESS", "part-00000-of-1"]);
    expect(await wordsIn(out)).toEqual(new Map());
  });

  it("of a folder that does not exist is wrong use, and leaves nothing running", async () => {
    const run = count(join(scratch, "absent"), "--out", join(scratch, "of-absent"));
    await run.until((_, err) => err !== "");
    expect(await run.ended).toBe(2);
    expect(run.err()).toMatch(/^quadrant: [^\n]*absent[^\n]*give a folder that exists[^\n]*\n$/);
  });

  it("with a file that cannot be read counts the rest, says so, and fails", async () => {
    const folder = join(scratch, "unreadable");
    await mkdir(folder);
    await writeFile(join(folder, "good.txt"), "one two two");
    // For root no mode is in the way, but no string names a file whose name is no UTF-8.
    const bad = Buffer.concat([Buffer.from(join(folder, "bad")), Buffer.from([0xff])]);
    await writeFile(process.getuid?.() === 0 ? bad : join(folder, "bad"), "three", { mode: 0 });
    const out = join(scratch, "of-unreadable");
    const run = count(folder, "--out", out);
    expect(await run.ended).toBe(1);
    expect(run.err()).toMatch(/bad.* could not be read: E[A-Z]+/);
    expect(summaryOf(run.out())).toMatchObject({ outcome: "done", unread: [{}] });
    expect(await wordsIn(out)).toEqual(
      new Map([
        ["one", 1],
        ["two", 2],
      ]),
    );
  });

  it("runs in one process over memory:", async () => {
    const out = join(scratch, "in-memory");
    const run = count(corpus, "--url", "memory:", "--out", out);
    expect([await run.ended, run.err()]).toEqual([0, ""]);
    expect(await wordsIn(out)).toEqual(expected);
  });

  it("refuses a folder that holds a result", async () => {
    const out = join(scratch, "twice");
    const text = join(scratch, "twice.txt");
    await writeFile(text, "once");
    expect(await count(text, "--url", "memory:", "--out", out).ended).toBe(0);
    const again = count(text, "--url", "memory:", "--out", out);
    expect(await again.ended).toBe(1);
    expect(again.err()).toMatch(/holds the result of a job/);
    expect(await wordsIn(out)).toEqual(new Map([["once", 1]]));
  });
});

/** Kills a worker that has just told of a task, again and again, at points that the random numbers choose. */
function killWorkers(bus: Bus, random: () => number): { stop(): Promise<number> } {
  const stop = new AbortController();
  const killed = new Set<number>();
  const enough = 6;
  const watching = (async () => {
    const seen = new Set<string>();
    let due = 3;
    for await (const { data } of await bus.subscribe<AttemptBeat>("mapreduce.*.attempt", { signal: stop.signal })) {
      if (seen.has(data.attempt) || killed.has(data.pid)) continue;
      seen.add(data.attempt);
      // Mostly while text is mapped; also when a partition is reduced.
      if (seen.size < due && !(data.task.startsWith("reduce") && random() < 0.5)) continue;
      due = seen.size + 2 + Math.floor(random() * 10);
      if (killed.size < enough && kill(data.pid)) killed.add(data.pid);
    }
  })();
  return {
    stop: async () => {
      stop.abort();
      await watching;
      return killed.size;
    },
  };
}

/** Whether there was such a process. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

/** Resolves when a worker of what was started has begun its first task. */
async function firstTask(run: Program): Promise<void> {
  await using bus = await connect(/the hub is at (\S+)/.exec(run.err())![1]!);
  for await (const _ of await bus.subscribe<AttemptBeat>("mapreduce.*.attempt")) return;
}

describe("npm start", () => {
  it("-- --once counts the documentation of the installed packages, and ends", async () => {
    const run = start("npm", ["start", "--silent", "--", "--once", "--json", "--top", "1000000"]);
    expect(await run.ended).toBe(0);
    const { top, unread } = summaryOf(run.out());
    const counted = new Map(top.map(({ word, count }) => [word, count]));
    expect(counted).toEqual(await naiveCount(join(root, "node_modules"), ".md"));
    expect(unread).toEqual([]);
  });

  it("stays up; the three commands it prints work; Ctrl-C ends it with nothing left", async () => {
    const run = quadrant("start", corpus, "--workers", "2");
    await run.until((out) => /second terminal:\n( {2}quadrant.*\n){3}/.test(out));
    expect(run.out()).toContain(`${expected.size.toLocaleString("en-US")} distinct words`);
    for (const model of ["shared data space", "mailbox", "event-based", "direct"])
      expect(run.out()).toContain(`  ${model} `);
    const lines = run
      .out()
      .match(/^ {2}quadrant .*$/gm)!
      .map((line) => line.trim());
    const [sub, call, rd] = lines.map(shell);
    await sub!.until((out) => /^mapreduce\.words\.progress\t.*"phase":"done"/m.test(out));
    const [word, count] = [...expected].sort(
      ([a, x], [b, y]) => y - x || Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )[0]!;
    expect([await call!.ended, call!.out()]).toEqual([0, `${count}\n`]);
    expect([await rd!.ended, JSON.parse(rd!.out())]).toEqual([0, [word, count]]);
    const children = descendants(run.child.pid!);
    expect(children.length).toBeGreaterThan(0);
    run.child.kill("SIGINT");
    expect(await run.ended).toBe(130);
    await allGone(children);
  });

  it("picks a free port where the usual one is taken", async () => {
    const runs = [quadrant("start", corpus, "--workers", "1"), quadrant("start", corpus, "--workers", "1")];
    await Promise.all(runs.map((run) => run.until((_, err) => err.includes("the hub is at "))));
    const urls = runs.map((run) => /the hub is at (\S+)/.exec(run.err())![1]);
    expect(urls[0]).not.toBe(urls[1]);
    const taken = quadrant("start", corpus, "--once", "--url", urls[0]!);
    expect(await taken.ended).toBe(1);
    expect(taken.err()).toMatch(/^quadrant: the hub did not start: [^\n]*in use/i);
    for (const run of runs) run.child.kill("SIGTERM");
    expect(await Promise.all(runs.map((run) => run.ended))).toEqual([130, 130]);
  });

  it.each([
    ["by Ctrl-C, which goes to all in the terminal and from npm to its own once more", "SIGINT", -1, [130, "SIGINT"]],
    ["by a signal to npm alone", "SIGINT", 1, [130]],
    ["by the end of npm", "SIGKILL", 1, ["SIGKILL"]],
  ] as const)("interrupted in the middle %s, it ends with nothing left", async (_, signal, group, ends) => {
    const run = start("npm", ["start", "--silent", "--", longCorpus, "--workers", "2"]);
    await run.until((_, err) => err.includes("the hub is at "));
    await firstTask(run);
    const children = descendants(run.child.pid!);
    expect(children.length).toBeGreaterThanOrEqual(4);
    process.kill(group * run.child.pid!, signal);
    await allGone(children);
    expect(ends).toContain(await run.ended);
  });

  it("ends at once, saying why, when its hub dies in the middle", async () => {
    const run = quadrant("start", longCorpus, "--workers", "2");
    await run.until((_, err) => err.includes("the hub is at "));
    await firstTask(run);
    const children = descendants(run.child.pid!);
    // The hub is started first.
    kill(Math.min(...children));
    expect(await run.ended).toBe(1);
    expect(run.err()).toMatch(/^quadrant: the hub died of SIGKILL$/m);
    await allGone(children);
  });

  it("takes its processes along when it is killed itself", async () => {
    const run = quadrant("start", longCorpus, "--workers", "2");
    await run.until((_, err) => err.includes("the hub is at "));
    await firstTask(run);
    const children = descendants(run.child.pid!);
    expect(children.length).toBeGreaterThanOrEqual(3);
    run.child.kill("SIGKILL");
    expect(await run.ended).toBe("SIGKILL");
    await allGone(children);
  });
});
