import { Child, type Exit } from "./child.ts";
import { failed } from "./failure.ts";

export interface PoolOptions {
  readonly workers: number;
  /** What each is started with. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What they say on stderr. */
  readonly told: (text: string) => void;
  /** A worker died and another was started in its place. */
  readonly onDeath: (exit: Exit) => void;
  /** The workers die as soon as they begin: the pool has given up. */
  readonly onFailure: (error: Error) => void;
}

/** So many deaths for each worker without any work done in between are no accident. */
const deathsEach = 5;

/** Keeps so many worker processes alive, until each has ended by itself or the pool is stopped. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #children = new Set<Child>();
  /** In all. */
  deaths = 0;
  #inARow = 0;
  #stopping = false;
  #ended: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    for (let i = 0; i < options.workers; i++) this.#start();
  }

  /** Work was done: earlier deaths are forgiven. */
  progressed(): void {
    this.#inARow = 0;
  }

  /** Resolves when every worker has ended by itself, or after `ms`. */
  async settle(ms: number): Promise<void> {
    if (this.#children.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#ended = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }

  /** Ends all of them; `atOnce`: without draining. */
  async stop(atOnce: boolean): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#children].map((child) => child.stop(atOnce)));
  }

  #start(): void {
    const child = new Child(this.#options.args, this.#options.env, this.#options.told);
    this.#children.add(child);
    void child.exited.then((exit) => this.#onExit(child, exit));
  }

  #onExit(child: Child, exit: Exit): void {
    this.#children.delete(child);
    if (exit.code !== 0 && !this.#stopping) this.#replace(exit);
    if (this.#children.size === 0) this.#ended?.();
  }

  #replace(exit: Exit): void {
    this.deaths++;
    this.#inARow++;
    if (this.#inARow < deathsEach * this.#options.workers) {
      this.#options.onDeath(exit);
      this.#start();
      return;
    }
    this.#stopping = true;
    const how = exit.signal ?? `exit code ${exit.code}`;
    this.#options.onFailure(failed(`${this.#inARow} workers died one after the other, the last of ${how}`));
  }
}
