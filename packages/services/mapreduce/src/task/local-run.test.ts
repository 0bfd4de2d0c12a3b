import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listDocuments } from "../input/document.ts";
import { runLocally } from "./local-run.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a job that runs here", () => {
  it("counts words into sorted parts and says so in the end", async () => {
    const path = join(folder, "text.md");
    await writeFile(path, "the constructor of __proto__\nThe bus, the BUS\r\n".repeat(20));
    const { documents } = await listDocuments([path]);
    await runLocally({ module: "word-count" }, documents, { out: join(folder, "out"), partitions: 2, splitBytes: 100 });
    expect(await readdir(join(folder, "out"))).toEqual(["_SUCCESS", "part-00000-of-2", "part-00001-of-2"]);
    const parts = await Promise.all([0, 1].map((at) => readFile(join(folder, "out", `part-0000${at}-of-2`), "utf8")));
    for (const part of parts) expect(part.split("\n")).toEqual([...part.split("\n").slice(0, -1).sort(), ""]);
    expect(parts.join("").trim().split("\n").sort()).toEqual([
      "bus\t40",
      "constructor\t20",
      "of\t20",
      "proto\t20",
      "the\t60",
    ]);
  });
});
