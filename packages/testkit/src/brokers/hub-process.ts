import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { StartedBroker } from "./broker.ts";

const program = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./hub-main.ts" : "./hub-main.js", import.meta.url),
);

/** Forks a hub; resolves with its process and the URL that it says it is reached at. */
async function launch(url: string): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(program, [url], { execPath: process.execPath, execArgv: [], stdio: ["ignore", 2, 2, "ipc"] });
  const exited = once(child, "exit").then(([code]) => {
    throw new Error(`the hub ended with ${code} before it listened at ${url}`);
  });
  const [said] = await Promise.race([once(child, "message"), exited]);
  exited.catch(() => undefined);
  return { child, url: String(said) };
}

/** Whether the operating system has stopped the process: signals are delivered in their own time. */
async function isStopped(pid: number): Promise<boolean> {
  if (process.platform === "linux") {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
  }
  const { stdout } = await promisify(execFile)("ps", ["-o", "stat=", "-p", String(pid)]);
  return stdout.trim().startsWith("T");
}

/** A Quadrant hub in a process of its own. */
export class HubProcess implements StartedBroker {
  readonly url: string;
  #child: ChildProcess | undefined;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  static async start(): Promise<HubProcess> {
    const { child, url } = await launch("zmq://127.0.0.1:0");
    return new HubProcess(url, child);
  }

  async stop(): Promise<void> {
    // A stopped process takes no other signal before it goes on.
    this.#child?.kill("SIGCONT");
    await this.#end("SIGTERM");
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async restart(): Promise<void> {
    await this.stop();
    const { child } = await launch(this.url);
    this.#child = child;
  }

  async pause(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) throw new Error("there is no hub to pause: restart it first");
    child.kill("SIGSTOP");
    while (!(await isStopped(child.pid))) await pause(1);
  }

  async resume(): Promise<void> {
    this.#child?.kill("SIGCONT");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
}
