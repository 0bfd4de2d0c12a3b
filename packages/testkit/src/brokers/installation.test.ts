import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, onTestFinished, vi } from "vitest";
import { installBrokers, isDebian } from "./installation.ts";

afterEach(() => vi.unstubAllEnvs());

/** An apt-get that writes down how it was called, before all others on the PATH. */
async function fakeApt(): Promise<() => Promise<string>> {
  const folder = await mkdtemp(join(tmpdir(), "quadrant-apt-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const calls = join(folder, "calls");
  await writeFile(calls, "");
  await writeFile(join(folder, "apt-get"), `#!/bin/sh\necho "$@" >>'${calls}'\n`);
  await chmod(join(folder, "apt-get"), 0o755);
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  return () => readFile(calls, "utf8");
}

it("installs with apt-get what is not there, as root on Debian or Ubuntu, and nothing elsewhere", async () => {
  const calls = await fakeApt();
  // No way to any broker: this one is forced, and leads nowhere.
  vi.stubEnv("QUADRANT_BROKERS", "url");
  vi.stubEnv("QUADRANT_NATS_URL", "");
  vi.stubEnv("QUADRANT_REDIS_URL", "redis://127.0.0.1:6379");
  await installBrokers(["nats", "redis"]);
  const may = process.getuid?.() === 0 && (await isDebian());
  expect(await calls()).toBe(may ? "update -qq\ninstall -y -qq --no-install-recommends nats-server\n" : "");
});

it("installs nothing where every broker has its way", async () => {
  const calls = await fakeApt();
  vi.stubEnv("QUADRANT_BROKERS", "url");
  vi.stubEnv("QUADRANT_NATS_URL", "nats://127.0.0.1:4222");
  vi.stubEnv("QUADRANT_REDIS_URL", "redis://127.0.0.1:6379");
  await installBrokers(["nats", "redis"]);
  expect(await calls()).toBe("");
});
