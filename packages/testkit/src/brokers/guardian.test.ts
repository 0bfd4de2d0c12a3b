import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished, vi } from "vitest";

interface Left {
  readonly pids: readonly number[];
  readonly ports: readonly number[];
  readonly folders: readonly string[];
}

/** Starts a broker of each kind, pauses them if told so, says what there is, and waits to be killed. */
const program = `
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBroker } from ${JSON.stringify(new URL("./start.ts", import.meta.url).href)};

const brokers = [await startBroker("nats"), await startBroker("redis"), await startBroker("zeromq", { durable: true })];
if (process.argv[1] === "paused") for (const broker of brokers) await broker.pause();
const folders = readdirSync(tmpdir()).filter((name) => /^quadrant-(nats|redis|hub)/.test(name));
console.log(JSON.stringify({
  pids: brokers.flatMap(({ pid }) => pid ?? []),
  ports: brokers.map(({ url }) => Number(new URL(url).port)),
  folders: folders.map((name) => join(tmpdir(), name)),
}));
setInterval(() => undefined, 60_000);
`;

/** Runs it; resolves with what it would leave behind. Its folders are told from those of others by where they are. */
async function processWithBrokers(how: string): Promise<{ kill: () => Promise<unknown>; left: Left }> {
  const folder = await mkdtemp(join(tmpdir(), "quadrant-guardian-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program, how], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const ended = exited.then(() => Promise.reject(new Error("it ended")));
  const [said] = (await Promise.race([once(lines, "line"), ended])) as [string];
  ended.catch(() => undefined);
  return {
    left: JSON.parse(said) as Left,
    kill: () => {
      child.kill("SIGKILL");
      return exited;
    },
  };
}

/** What has ended and waits for its parent to notice does not run. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

it.each(["running", "paused"])(
  "a test process that is killed leaves no broker, folder or hub behind: %s",
  async (how) => {
    const { kill, left } = await processWithBrokers(how);
    expect(left.ports).toHaveLength(3);
    expect(await Promise.all(left.ports.map(isListening))).toEqual([true, true, true]);
    // Of the hub at least: in containers there are neither processes nor folders of ours.
    expect(left.pids.length).toBeGreaterThan(0);
    expect(left.pids.every(isRunning)).toBe(true);
    expect(left.folders).toHaveLength(left.pids.length);
    expect(left.folders.every((folder) => existsSync(folder))).toBe(true);
    await kill();
    await vi.waitFor(async () => {
      expect(await Promise.all(left.ports.map(isListening))).toEqual([false, false, false]);
      expect(left.pids.filter(isRunning)).toEqual([]);
      expect(left.folders.filter((folder) => existsSync(folder))).toEqual([]);
    }, 30_000);
  },
);
