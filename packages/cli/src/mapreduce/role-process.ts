import { Child, type Exit } from "../child.ts";
import { failed } from "../failure.ts";

export interface RoleOptions {
  /** What the process is started with. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What it says on stderr. */
  readonly told: (text: string) => void;
  /** It died, and another was started in its place. */
  readonly onDeath: (exit: Exit) => void;
  /** It dies as soon as it begins: it is not started any more. */
  readonly onFailure: (error: Error) => void;
}

/** So many deaths in a row, each so soon, are no accident. */
const deathsInARow = 5;
const soonMs = 5_000;

/** Keeps one process of a role alive, until it is stopped. */
export class RoleProcess {
  readonly #options: RoleOptions;
  #child: Child;
  #startedAt = 0;
  #deaths = 0;
  #stopping = false;

  constructor(options: RoleOptions) {
    this.#options = options;
    this.#child = this.#start();
  }

  /** Ends it; `atOnce`: without draining. */
  async stop(atOnce: boolean): Promise<void> {
    this.#stopping = true;
    await this.#child.stop(atOnce);
  }

  #start(): Child {
    this.#startedAt = performance.now();
    const { args, env, told } = this.#options;
    const child = new Child(args, env, told);
    void child.exited.then((exit) => this.#onExit(exit));
    return child;
  }

  #onExit(exit: Exit): void {
    if (this.#stopping) return;
    this.#deaths = performance.now() - this.#startedAt < soonMs ? this.#deaths + 1 : 1;
    if (this.#deaths < deathsInARow) {
      this.#options.onDeath(exit);
      this.#child = this.#start();
      return;
    }
    this.#stopping = true;
    const role = this.#options.args[1];
    this.#options.onFailure(failed(`the ${role} died ${this.#deaths} times in a row, the last time of ${howOf(exit)}`));
  }
}

export function howOf({ signal, code }: Exit): string {
  return signal ?? `exit code ${code}`;
}
