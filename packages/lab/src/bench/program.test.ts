import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunResult } from "./result.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-bench-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function bench(...argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = join(import.meta.dirname, "main.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...argv], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

it("a case that there is not is refused with those there are", async () => {
  const { code, stderr } = await bench("pubsbu");
  expect(code).toBe(1);
  expect(stderr).toContain("pubsub, calls, mailbox, tuplespace, memory");
});

it("a run prints its table and writes what it is told to, where it was made included", {
  timeout: 120_000,
}, async () => {
  const [json, html, profiles] = ["out.json", "out.html", "profiles"].map((name) => join(folder, name));
  const files = ["--json", json!, "--html", html!, "--profile", profiles!];
  const { code, stdout } = await bench("pubsub", "--quick", "--rounds", "1", "--strict", ...files);
  expect(code).toBe(0);
  expect(stdout).toContain("over the hub, a lone awaiting publisher");
  const result: RunResult = JSON.parse(await readFile(json!, "utf8"));
  expect(result).toMatchObject({ quick: true, rounds: 1, environment: { node: process.versions.node } });
  expect(result.cases.map(({ name }) => name)).toEqual(["pubsub"]);
  expect(await readFile(html!, "utf8")).toContain("<svg");
});
