import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { findProgram } from "./program.ts";

it("Redis is Valkey where there is no Redis; what cannot be run is no program", async () => {
  const folder = await mkdtemp(join(tmpdir(), "quadrant-program-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [redis, valkey] = [join(folder, "redis-server"), join(folder, "valkey-server")];
  expect(await findProgram("redis-server", [folder])).toBeUndefined();
  for (const program of [redis, valkey]) await writeFile(program, "#!/bin/sh\n");
  await chmod(valkey, 0o755);
  expect(await findProgram("redis-server", [folder])).toBe(valkey);
  await chmod(redis, 0o755);
  expect(await findProgram("redis-server", [folder])).toBe(redis);
  expect(await findProgram("nats-server", [folder])).toBeUndefined();
});
