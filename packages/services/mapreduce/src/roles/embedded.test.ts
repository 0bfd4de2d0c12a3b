import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@quadrant/bus";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { couplings } from "../dispatch/dispatch.ts";
import { runJob } from "./embedded.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a job with all roles in one process", () => {
  it.each(couplings)("coupled by %s counts words", async (coupling) => {
    await writeFile(join(folder, "text.md"), "the constructor of __proto__\nThe bus, the BUS\r\n".repeat(20));
    const bus = await connect("memory:");
    const request = {
      reference: { module: "word-count" },
      inputs: [join(folder, "text.md")],
      out: join(folder, "out"),
      reducers: 2,
      workers: 2,
      splitBytes: 100,
      coupling,
    };
    const summary = await runJob(bus, request, { embedded: true });
    expect(summary).toMatchObject({ outcome: "done", failures: 0, maps: 9, reduces: 2 });
    expect(await readdir(join(folder, "out"))).toEqual(["_SUCCESS", "part-00000-of-2", "part-00001-of-2"]);
    const parts = await Promise.all([0, 1].map((at) => readFile(join(folder, "out", `part-0000${at}-of-2`), "utf8")));
    expect(parts.join("").trim().split("\n").sort()).toEqual([
      "bus\t40",
      "constructor\t20",
      "of\t20",
      "proto\t20",
      "the\t60",
    ]);
    await bus.close();
  });
});
