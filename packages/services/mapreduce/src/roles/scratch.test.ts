import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@quadrant/bus";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runNodeManager } from "./node-manager.ts";
import { removeAbandonedScratch, scratchFolder } from "./scratch.ts";
import { runWorker } from "./worker.ts";

const children: ChildProcess[] = [];
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-test-"));
  vi.stubEnv("TMPDIR", folder);
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(killed));
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** A process with a worker's scratch folder and a file in it. */
async function spilling(): Promise<{ readonly child: ChildProcess; readonly name: string }> {
  const scratch = new URL("scratch.ts", import.meta.url).href;
  const code = `const { scratchFolder } = await import(${JSON.stringify(scratch)});
    const { mkdirSync, writeFileSync } = await import("node:fs");
    const folder = scratchFolder("node-1-0-" + process.pid + "-1");
    mkdirSync(folder + "/task-1-0", { recursive: true });
    writeFileSync(folder + "/task-1-0/0", "spilled");
    process.stdout.write("ready");
    setInterval(() => undefined, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  await once(child.stdout!, "data");
  return { child, name: scratchFolder(`node-1-0-${child.pid}-1`).slice(folder.length + 1) };
}

describe("the scratch folder of a worker that was killed", () => {
  it("is removed; that of one that lives, and what is nobody's, is not", async () => {
    const [dead, living] = [await spilling(), await spilling()];
    // As a worker of another machine, or of another container, names it.
    const foreign = dead.name.replace(/^quadrant-worker-[0-9a-f]{8}/, "quadrant-worker-00000000");
    await mkdir(join(folder, foreign));
    await removeAbandonedScratch();
    expect((await readdir(folder)).sort()).toEqual([dead.name, living.name, foreign].sort());
    await killed(dead.child);
    await removeAbandonedScratch();
    expect((await readdir(folder)).sort()).toEqual([living.name, foreign].sort());
  });

  it("is removed by the next worker as it begins, whoever starts it", async () => {
    const dead = await spilling();
    await killed(dead.child);
    const bus = await connect(`memory:${randomUUID()}`);
    const stop = new AbortController();
    const running = runWorker(bus, { node: "other", slot: 0, signal: stop.signal });
    await expect.poll(() => readdir(folder)).toEqual([]);
    stop.abort();
    await running;
    await bus.close();
  });

  it("is removed by its node manager, at its death", async () => {
    const bus = await connect(`memory:${randomUUID()}`);
    const stop = new AbortController();
    const deaths: string[] = [];
    const { child, name } = await spilling();
    let started = 0;
    const running = runNodeManager(bus, {
      node: "node-1",
      slots: 1,
      signal: stop.signal,
      start: () => {
        if (started++ === 0)
          return { ended: once(child, "exit").then(() => "SIGKILL"), kill: () => child.kill("SIGKILL") };
        const end = Promise.withResolvers<string>();
        return { ended: end.promise, kill: () => end.resolve("being asked to") };
      },
      onDeath: (slot, how) => void deaths.push(`${slot} ${how}`),
    });
    await expect.poll(() => started).toBe(1);
    expect(await readdir(folder)).toEqual([name]);
    child.kill("SIGKILL");
    await expect.poll(() => readdir(folder)).toEqual([]);
    await expect.poll(() => deaths).toEqual(["0 SIGKILL"]);
    stop.abort();
    await running;
    await bus.close();
  });
});
