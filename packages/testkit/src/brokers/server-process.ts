import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { emptied } from "./folder.ts";
import { holdFolder, holdProcess } from "./guardian.ts";
import { stopped } from "./process-state.ts";
import { EarlyEnd, type Place, type Server, type ServerPlan } from "./server.ts";

const startMs = 60_000;

/** A server as a process of this machine, in a fresh folder of its own that goes with it. */
export class ServerProcess implements Server {
  readonly plan: ServerPlan;
  readonly #binary: string;
  readonly #folder: string;
  readonly #letGo: () => void;
  #child: ChildProcess | undefined;

  private constructor(plan: ServerPlan, binary: string, folder: string) {
    this.plan = plan;
    this.#binary = binary;
    this.#folder = folder;
    this.#letGo = holdFolder(folder);
  }

  /** Prepares one; `start` starts it. */
  static async prepare(plan: ServerPlan, from: { binary: string; data?: string | undefined }): Promise<ServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), `quadrant-${plan.program}-`));
    const server = new ServerProcess(plan, from.binary, folder);
    if (from.data !== undefined) await symlink(from.data, join(folder, "data"));
    await server.wipe();
    return server;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<string> {
    const log = await open(this.#log, "w");
    let child: ChildProcess;
    try {
      const args = this.plan.args(this.#place);
      child = spawn(this.#binary, args, { cwd: this.#folder, stdio: ["ignore", log.fd, log.fd] });
    } finally {
      await log.close();
    }
    if (child.pid === undefined)
      throw new Error(`${this.#binary} cannot be run`, { cause: await once(child, "error") });
    const letGo = holdProcess(child.pid);
    this.#child = child;
    child.once("exit", () => {
      letGo();
      if (this.#child === child) this.#child = undefined;
    });
    const version = await this.#serving(child);
    // A broker that a test forgot does not keep its process from ending; the guardian then ends the broker.
    child.unref();
    return version;
  }

  async stop(): Promise<void> {
    // A stopped process takes no other signal before it goes on.
    this.#child?.kill("SIGCONT");
    await this.#end("SIGTERM");
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async pause(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) throw new Error(`there is no ${this.plan.program} to pause: restart it first`);
    child.kill("SIGSTOP");
    await stopped(child.pid);
  }

  async resume(): Promise<void> {
    this.#child?.kill("SIGCONT");
  }

  async wipe(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.plan.program} runs: what it stores cannot be wiped`);
    await emptied(join(this.#folder, "data"));
    for (const [name, text] of Object.entries(this.plan.files(this.#place))) {
      await writeFile(join(this.#folder, name), text, { mode: 0o600 });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
    this.#letGo();
  }

  get #place(): Place {
    return { folder: this.#folder, host: "127.0.0.1" };
  }

  get #log(): string {
    return join(this.#folder, "log");
  }

  async #serving(child: ChildProcess): Promise<string> {
    const end = Date.now() + startMs;
    let why: unknown;
    while (Date.now() < end) {
      if (child.exitCode !== null || child.signalCode !== null) {
        const words = await readFile(this.#log, "utf8");
        throw new EarlyEnd(this.plan.program, String(child.exitCode ?? child.signalCode), words);
      }
      try {
        return await this.plan.probe();
      } catch (cause) {
        why = cause;
        await pause(10);
      }
    }
    await this.kill();
    throw new Error(`${this.plan.program} did not serve within ${startMs} ms`, { cause: why });
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.ref();
    child.kill(signal);
    // Redis refuses to end in good order while it writes its first append-only file, and has to be asked again.
    const again = setInterval(() => child.kill(signal), 200);
    try {
      await exited;
    } finally {
      clearInterval(again);
    }
  }
}
