import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Program } from "./server.ts";

/** Debian puts servers where the PATH of users does not look. */
const alsoIn = ["/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

const names: Readonly<Record<Program, readonly string[]>> = {
  "nats-server": ["nats-server"],
  "redis-server": ["redis-server", "valkey-server"],
};

function searched(): readonly string[] {
  return [...(process.env.PATH ?? "").split(delimiter), ...alsoIn];
}

/** Where a program is that can be run, under any of its names, the first of them first. */
export async function findProgram(
  program: Program,
  folders: readonly string[] = searched(),
): Promise<string | undefined> {
  for (const name of names[program]) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (
        await access(path, constants.X_OK).then(
          () => true,
          () => false,
        )
      )
        return path;
    }
  }
  return undefined;
}
