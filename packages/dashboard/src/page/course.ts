import type { Step } from "../games.ts";
import type { Refused } from "./connection.ts";
import type { Stage } from "./scene.ts";

export interface CourseOptions {
  readonly match: string;
  /** Whose eyes; undefined: a spectator's. */
  readonly token: string | undefined;
  readonly onStep: (step: Step) => void;
  readonly onFailure: (error: Refused) => void;
}

const againMs = 1_000;

/** The steps of a match, each once and in order, whatever the connection does meanwhile. */
export class Course {
  readonly steps: Step[] = [];
  readonly #stage: Stage;
  readonly #options: CourseOptions;

  constructor(stage: Stage, options: CourseOptions) {
    this.#stage = stage;
    this.#options = options;
    this.#follow();
  }

  get version(): number {
    return this.steps.at(-1)?.version ?? 0;
  }

  #follow(): void {
    const { connection, signal } = this.#stage;
    const { match, token } = this.#options;
    const following = new AbortController();
    connection.follow("match", () => ({ match, token, from: this.version + 1 }), {
      item: (item) => {
        const step = item as Step;
        if (step.version <= this.version) return;
        if (step.version === this.version + 1) {
          this.steps.push(step);
          this.#options.onStep(step);
        } else {
          // Something is missing: from where it stood, once more.
          following.abort();
          this.#later();
        }
      },
      failed: (error) => {
        this.#options.onFailure(error);
        if (!permanent.has(error.code)) this.#later();
      },
      signal: AbortSignal.any([signal, following.signal]),
    });
  }

  #later(): void {
    const timer = setTimeout(() => this.#follow(), againMs);
    this.#stage.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }
}

/** Where asking again is of no use. */
export const permanent: ReadonlySet<string> = new Set(["malformed", "denied", "unsupported"]);
