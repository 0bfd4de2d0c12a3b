import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CapturedIo, run } from "../captured-io.ts";
import { main } from "../program.ts";

const template = fileURLToPath(new URL("../../../lab/examples/template.ts", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-lab-cli-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Line {
  readonly experiment?: string;
  readonly repetition?: number;
  readonly cell?: unknown;
}

async function recorded(out: string): Promise<readonly Line[]> {
  const text = await readFile(join(out, "run.jsonl"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => JSON.parse(line) as Line);
}

test("the experiments are listed, each with its question", async () => {
  const { code, out: stdout } = await run(["lab", "list"]);
  expect(code).toBe(0);
  expect(stdout.trimEnd().split("\n")).toHaveLength(14);
  expect(stdout).toMatch(/^temporal-coupling +The receiver is away/m);
});

test("a quick run leaves report, data and plots, and says what holds", { timeout: 60_000 }, async () => {
  const out = join(folder, "quick");
  const argv = ["lab", "run", "--quick", "--repetitions", "2", "--driver", "memory", "--out", out];
  const { code, out: stdout } = await run([...argv, "temporal-coupling", "referential-coupling"]);
  expect({ code, out: stdout }).toMatchObject({
    code: 0,
    out: expect.stringContaining("temporal-coupling: 5 of 5 expectations hold"),
  });
  expect(stdout).toContain(join(out, "report.html"));
  expect((await readdir(out)).sort()).toEqual([
    ...["plots", "report.html", "report.md", "results.csv", "results.json", "run.jsonl"],
  ]);
  expect(await readFile(join(out, "report.md"), "utf8")).toContain(
    "| mailbox | decoupled | decoupled | coupled | coupled | yes |",
  );
  const csv = await readFile(join(out, "results.csv"), "utf8");
  expect(csv.split("\r\n")[0]).toBe("experiment,model,driver,awayMs,change,repetition,again,measure,value,failure");
  const { results } = JSON.parse(await readFile(join(out, "results.json"), "utf8")) as { results: { name: string }[] };
  expect(results.map(({ name }) => name)).toEqual(["temporal-coupling", "referential-coupling"]);
});

test("a run that is interrupted goes on with the same command, in the order that its seed gives", {
  timeout: 60_000,
}, async () => {
  const argv = (out: string): string[] => [
    ...["lab", "run", "--quick", "--repetitions", "3", "--seed", "9", "--driver", "memory"],
    ...["--out", join(folder, out), "ordering"],
  ];
  await run(argv("whole"));
  const whole = await recorded(join(folder, "whole"));
  const io = new CapturedIo();
  const running = main(argv("stopped"), io);
  for (let count = 0; count < 2; ) count = (await recorded(join(folder, "stopped")).catch(() => [])).length;
  io.interrupt();
  expect(await running).toBe(130);
  const begun = await recorded(join(folder, "stopped"));
  expect(begun.length).toBeLessThan(whole.length);
  const { code, err: stderr } = await run(argv("stopped"));
  expect(code).toBe(0);
  expect(stderr).toContain(`${begun.length} of ${whole.length} repetitions were there already`);
  const cells = (lines: readonly Line[]): unknown[] => lines.map(({ cell, repetition }) => ({ cell, repetition }));
  expect(cells(await recorded(join(folder, "stopped")))).toEqual(cells(whole));
});

test("an experiment of one's own in a file runs, and two runs are compared", { timeout: 60_000 }, async () => {
  const argv = (out: string): string[] => [
    ...["lab", "run", "--quick", "--repetitions", "2", "--driver", "memory", "--out", join(folder, out), template],
  ];
  expect(await run(argv("mine"))).toMatchObject({
    code: 0,
    out: expect.stringContaining("echo: 1 of 1 expectations hold"),
  });
  await run([
    "lab",
    "run",
    "--quick",
    "--repetitions",
    "2",
    "--driver",
    "memory",
    "--out",
    join(folder, "a"),
    "ordering",
  ]);
  await run([
    "lab",
    "run",
    "--quick",
    "--repetitions",
    "2",
    "--driver",
    "memory",
    "--out",
    join(folder, "b"),
    "ordering",
  ]);
  const { code, out: stdout } = await run(["lab", "compare", join(folder, "a"), join(folder, "b")]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/\d+ of 15 figures differ/);
});

test("what is no experiment, and a folder without a run, are refused with what to do", async () => {
  const out = join(folder, "none");
  expect(await run(["lab", "run", "--out", out, "nonsense"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("quadrant lab list"),
  });
  expect(await run(["lab", "compare", out, out])).toMatchObject({
    code: 1,
    err: expect.stringContaining("run.jsonl"),
  });
});
