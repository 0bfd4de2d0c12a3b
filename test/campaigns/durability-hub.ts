import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("./durability-hub-process.ts", import.meta.url));

/** A hub that keeps its data in a folder of the caller's, in a process of its own, at one URL. */
export class HubProcess {
  readonly #folder: string;
  #child: ChildProcess | undefined;
  url = "zmq://127.0.0.1:0";

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(folder: string): Promise<HubProcess> {
    const hub = new HubProcess(folder);
    await hub.start();
    return hub;
  }

  async start(): Promise<void> {
    const child = fork(program, [this.url, this.#folder], { execPath: process.execPath, execArgv: [] });
    this.#child = child;
    const exited = once(child, "exit").then(([code]) => {
      throw new Error(`the hub ended with ${code} before it listened`);
    });
    exited.catch(() => undefined);
    const [url] = await Promise.race([once(child, "message"), exited]);
    this.url = String(url);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
}
