import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@quadrant/bus";
import { record } from "@quadrant/testkit/history";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../captured-io.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-check-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Two processes that put and take. */
async function recorded(): Promise<readonly [string, string]> {
  const own = await mkdtemp(join(folder, "run-"));
  const files = [join(own, "one.jsonl"), join(own, "two.jsonl")] as const;
  const url = "memory:check";
  await using one = record(await connect(url), { to: files[0], process: "one" });
  await using two = record(await connect(url), { to: files[1], process: "two" });
  await (await one.space("s")).out(["task", 1]);
  await (await two.space("s")).in(["task", Number]);
  return files;
}

test("a history of several files that keeps the promises passes", async () => {
  const files = await recorded();
  const { code, out, err } = await run(["check", ...files]);
  expect([code, out]).toEqual([0, ""]);
  expect(err).toContain("of 2 processes");
  const { lines } = await run(["check", ...files, "--json"]);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ kind: "summary", violations: 0, counts: { put: 1 } }]);
});

test("a violation is printed with its operations, and the exit code is 1", async () => {
  const [one, two] = await recorded();
  const first = JSON.parse((await readFile(one, "utf8")).split("\n")[0]!);
  const again = join(folder, "three.jsonl");
  const moment = { process: "three", us: first.us + 60_000_000, at: 0, n: 1 };
  const tuple = "a2:5:stask2:n1";
  const lines = [
    JSON.stringify({ ...first, process: "three" }),
    JSON.stringify({ kind: "invoke", ...moment, op: "space.inp", on: "s", args: { template: tuple } }),
    JSON.stringify({ kind: "return", ...moment, outcome: "done", value: { tuple } }),
  ];
  await writeFile(again, `${lines.join("\n")}\n{"kind":"inv`);
  const { code, out, err } = await run(["check", one, two, again]);
  expect(code).toBe(1);
  expect(out).toContain("space, taken-twice in s");
  expect(out).toContain("three #1 space.inp s");
  expect(err).toContain("violation");
  const json = await run(["check", one, two, again, "--json", "--limit", "1"]);
  expect(json.lines.map((line) => JSON.parse(line).kind)).toEqual(["violation", "summary"]);
});

test("what is no history is said to be none, with its line", async () => {
  const file = join(folder, "none.jsonl");
  await writeFile(file, '{"kind":"process"}\n{"kind":"process"}\n');
  expect(await run(["check", file])).toMatchObject({
    code: 1,
    err: expect.stringContaining("none.jsonl:1 is no line"),
  });
  const missing = await run(["check", join(folder, "absent.jsonl")]);
  expect(missing).toMatchObject({ code: 1, err: expect.stringContaining("absent.jsonl") });
  expect((await run(["check"])).code).toBe(2);
});
