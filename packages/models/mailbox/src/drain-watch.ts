import type { Context } from "@quadrant/contract";

/** Has the drain of a connection wait for what becomes stable: many letters at once. */
export class DrainWatch {
  readonly #context: Pick<Context, "track">;
  #latest: Promise<void> | undefined;

  constructor(context: Pick<Context, "track">) {
    this.#context = context;
  }

  /** Mostly the same as the last one. */
  watch(stable: Promise<void>): void {
    if (stable === this.#latest) return;
    this.#latest = stable;
    const ended = stable.catch(() => undefined);
    const untrack = this.#context.track({ drain: () => ended, abandon: () => undefined });
    void ended.then(() => {
      untrack();
      if (this.#latest === stable) this.#latest = undefined;
    });
  }
}
