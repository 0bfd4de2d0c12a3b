import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** Referees as processes, each of which is started again when it dies. */
export class Referees implements AsyncDisposable {
  readonly #url: string;
  readonly #running = new Set<ChildProcess>();
  #stopping = false;
  deaths = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** Resolves once it runs. `dying`: the first one kills itself there; its successors live. */
  async start(dying?: { readonly moment: "before" | "after"; readonly append: number }): Promise<void> {
    const args = [this.#url, ...(dying === undefined ? [] : [dying.moment, String(dying.append)])];
    const child = fork(join(import.meta.dirname, "referee-process.ts"), args);
    this.#running.add(child);
    child.once("exit", () => {
      this.#running.delete(child);
      if (this.#stopping) return;
      this.deaths += 1;
      void this.start();
    });
    await Promise.race([once(child, "message"), once(child, "exit")]);
  }

  /** The one that has run longest, by SIGKILL. Resolves once it is dead; its successor starts by itself. */
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
