import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** Consumers of the games as processes, each of which is started again when it dies. */
export class Consumers implements AsyncDisposable {
  readonly #url: string;
  readonly #running = new Set<ChildProcess>();
  #stopping = false;

  constructor(url: string) {
    this.#url = url;
  }

  /** Resolves once it runs. */
  async start(consumer: string): Promise<void> {
    const child = fork(join(import.meta.dirname, "consumer-process.ts"), [this.#url, consumer]);
    this.#running.add(child);
    child.once("exit", () => {
      this.#running.delete(child);
      if (!this.#stopping) void this.start(consumer);
    });
    await Promise.race([once(child, "message"), once(child, "exit")]);
  }

  /** One of them, the one that has run longest. Resolves once it is dead; its successor starts by itself. */
  async kill(): Promise<void> {
    const [oldest] = this.#running;
    if (oldest === undefined) return;
    const dead = once(oldest, "exit");
    oldest.kill("SIGKILL");
    await dead;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    const dead = [...this.#running].map((child) => once(child, "exit"));
    for (const child of this.#running) child.kill("SIGKILL");
    await Promise.all(dead);
  }
}
