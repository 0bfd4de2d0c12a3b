import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JobReference, listDocuments, runLocally } from "@quadrant/mapreduce";

/** The parts of a result, by name, as their bytes. */
export async function partsIn(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(folder)).filter((name) => name.startsWith("part-")).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "latin1")] as const)),
  );
}

/** What a job comes to in one process, one task after another, without a bus. */
export async function referenceOf(
  reference: JobReference,
  input: string,
  partitions: number,
): Promise<ReadonlyMap<string, string>> {
  const scratch = await mkdtemp(join(tmpdir(), "quadrant-reference-"));
  try {
    const { documents } = await listDocuments([input]);
    await runLocally(reference, documents, { out: join(scratch, "out"), partitions });
    return await partsIn(join(scratch, "out"));
  } finally {
    await rm(scratch, { recursive: true });
  }
}
