import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, connect } from "@quadrant/bus";
import { awaitJob, type EmbeddedRoles, startRoles } from "@quadrant/mapreduce";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Outcome, run } from "../captured-io.ts";

const url = `memory:${randomUUID()}`;
const never = new AbortController().signal;
let bus: Bus;
let roles: EmbeddedRoles | undefined;
let folder: string;
let text: string;

beforeAll(async () => {
  bus = await connect(url);
  folder = await mkdtemp(join(tmpdir(), "quadrant-cli-mapreduce-"));
  text = join(folder, "text.txt");
  await writeFile(text, "one two\ntwo\n");
});
afterAll(async () => {
  await roles?.[Symbol.asyncDispose]();
  await bus.close();
  await rm(folder, { recursive: true });
});

const mapreduce = (...argv: readonly string[]): Promise<Outcome> => run(["mapreduce", ...argv, "--url", url]);
const submit = (id: string, ...argv: readonly string[]): Promise<Outcome> =>
  mapreduce("submit", "word-count", text, "--out", join(folder, id), "--job", id, "--reducers", "1", ...argv);

describe("jobs of roles that run elsewhere", () => {
  test("wait for them, and can be cancelled before", async () => {
    expect(await submit("early")).toMatchObject({ code: 0, lines: ["early"] });
    expect((await mapreduce("status", "early")).lines[0]).toBe("early: waiting for a master");
    expect((await mapreduce("logs", "early")).lines).toEqual([
      expect.stringMatching(/^\S+Z {2}submitted: word-count, by mailbox, shuffle files$/),
    ]);
    expect(await mapreduce("cancel", "early")).toMatchObject({ code: 0 });
    roles = startRoles(bus, { workers: 2 });
    expect(await awaitJob(bus, "early", never)).toMatchObject({ outcome: "cancelled" });
    expect((await mapreduce("status", "early")).lines[0]).toBe("early: cancelled");
    const again = await mapreduce("cancel", "early");
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining("has ended") });
  });

  test("are shown until they are done, with --wait", async () => {
    const { code, lines, err } = await submit("waited", "--wait", "--json");
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(lines[0]!)).toMatchObject({ job: "waited", outcome: "done", maps: 1, reduces: 1, failures: 0 });
    expect(await readFile(join(folder, "waited", "part-00000-of-1"), "utf8")).toBe("one\t1\ntwo\t2\n");
  });

  test("are listed, and tell what has happened to them", async () => {
    await submit("told", "--wait", "--coupling", "space");
    const rows = (await mapreduce("list", "--json")).lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.find(({ job }) => job === "told")).toMatchObject({
      name: "word-count",
      state: "done",
      maps: 1,
      reduces: 1,
    });
    const { lines } = await mapreduce("logs", "told", "--follow");
    expect(lines[0]).toContain("by space");
    expect(lines.at(-1)).toMatch(/ {2}done$/);
    const kinds = (await mapreduce("logs", "told", "--json")).lines.map(
      (line) => (JSON.parse(line) as { kind: string }).kind,
    );
    expect(kinds).toEqual(["submitted", "taken-over", "split", "planned", "mapped", "reduced", "ended"]);
    const summary = (await mapreduce("status", "told")).lines.join("\n");
    for (const part of [
      "told: done",
      "1 workers, 1 map tasks, 1 reduce tasks",
      "map.bytes",
      "slowest: ",
      "the result is in",
    ]) {
      expect(summary).toContain(part);
    }
  });

  test("whose result is on the bus give it to whoever fetches it, once", async () => {
    await submit("remote", "--shuffle", "bus");
    await expect.poll(async () => (await mapreduce("status", "remote")).lines[0]).toBe("remote: done");
    const out = join(folder, "fetched");
    expect(await mapreduce("fetch", "remote", "--out", out)).toMatchObject({ code: 0 });
    expect(await readdir(out)).toEqual(["_SUCCESS", "part-00000-of-1"]);
    expect(await bus.list("blobs")).toEqual([]);
  });

  test("that fail say why, with the stack", async () => {
    const module = join(folder, "broken.mjs");
    await writeFile(module, "export default 7;\n");
    const { code, err } = await mapreduce("submit", module, text, "--out", join(folder, "broken"), "--wait");
    expect(code).toBe(1);
    expect(err).toMatch(/exports no job/);
    expect(err).toMatch(/\n\s+at /);
  });

  test.each([
    [["submit", "word-count", "x", "--coupling", "telepathy"], /telepathy/],
    [["submit", "word-count", "x", "--split-bytes", "many"], /give bytes/],
    [["submit", "word-count", "x", "--option", "nothing"], /name=value/],
    [["submit", "word-count"], /missing required argument 'inputs'/],
    [["status", "absent"], /there is no job absent/],
    [["run", "word-count", "/absent/folder"], /give a folder that exists/],
  ])("%j is wrongly used", async (argv, message) => {
    expect(await mapreduce(...argv)).toMatchObject({ code: 2, err: expect.stringMatching(message) });
  });
});
