import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listDocuments } from "./document.ts";

describe("listDocuments", () => {
  let folder: string;
  const names = (documents: readonly { readonly path: string }[]): readonly string[] =>
    documents.map(({ path }) => relative(folder, path));

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "quadrant-documents-")));
    await mkdir(join(folder, "deep/er"), { recursive: true });
    await mkdir(join(folder, ".hidden"));
    await writeFile(join(folder, "a.md"), "one");
    await writeFile(join(folder, "empty"), "");
    await writeFile(join(folder, "deep/b.txt"), "two");
    await writeFile(join(folder, "deep/er/ü c.md"), "three");
    await writeFile(join(folder, ".hidden/d"), "four");
    await writeFile(join(folder, "deep/picture.md"), Buffer.from([0x89, 0x50, 0x00, 0x01]));
    await writeFile(join(folder, "late-nul"), `${"x".repeat(10_000)}\0`);
    await symlink(join(folder, "a.md"), join(folder, "link.md"));
    await symlink(folder, join(folder, "deep/loop"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("finds every text file below a folder, once, without following links", async () => {
    const { documents, binary, unread } = await listDocuments([folder]);
    expect(names(documents)).toEqual([".hidden/d", "a.md", "deep/b.txt", "deep/er/ü c.md", "empty", "late-nul"]);
    expect(documents.map(({ bytes }) => bytes)).toEqual([4, 3, 3, 5, 0, 10_001]);
    expect({ binary, unread }).toEqual({ binary: 1, unread: [] });
  });

  it("takes a file once where folders overlap, are given twice or by a link", async () => {
    const given = [folder, folder, join(folder, "deep"), join(folder, "a.md"), join(folder, "deep/loop")];
    expect(names((await listDocuments(given)).documents)).toHaveLength(6);
  });

  it("goes by the endings of names where they are given, whatever the files hold", async () => {
    const { documents, binary } = await listDocuments([folder], { endings: [".md"] });
    expect(names(documents)).toEqual(["a.md", "deep/er/ü c.md", "deep/picture.md"]);
    expect(binary).toBe(0);
  });

  it("takes a file that is named as it is", async () => {
    const { documents } = await listDocuments([join(folder, "deep/picture.md")]);
    expect(names(documents)).toEqual(["deep/picture.md"]);
  });

  it("finds nothing in an empty folder", async () => {
    await mkdir(join(folder, "none"), { recursive: true });
    expect(await listDocuments([join(folder, "none")])).toEqual({ documents: [], binary: 0, unread: [] });
    await rm(join(folder, "none"), { recursive: true });
  });

  it("refuses a folder that does not exist, and ends when aborted", async () => {
    await expect(listDocuments([join(folder, "absent")])).rejects.toMatchObject({ code: "invalid" });
    await expect(listDocuments([folder], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
  });

  it("lists what cannot be read, and goes on", async () => {
    const path = await unreadableFile(folder);
    const { documents, unread } = await listDocuments([folder]);
    expect(unread).toEqual([
      { path: expect.stringContaining("unreadable"), message: expect.stringMatching(/^E[A-Z]+:/) },
    ]);
    expect(documents).toHaveLength(6);
    await rm(path);
  });
});

/** For root no mode is in the way, but no string names a file whose name is no UTF-8. */
async function unreadableFile(below: string): Promise<Buffer> {
  const path = Buffer.concat([Buffer.from(join(below, "unreadable")), Buffer.from([0xff])]);
  const named = process.getuid?.() === 0 ? path : path.subarray(0, -1);
  await writeFile(named, "text", { mode: 0 });
  return named;
}
