import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** The folder is there, with nothing in it. It is not made anew: it may be a disk, or lead to one. */
export async function emptied(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}
