import { after } from "./duration.ts";

/**
 * Where those wait whose message is in the outbox already while that drains: they are paced, not refused. Opens by itself
 * after `ms`, since a broker that takes nothing keeps nobody longer than anything else does.
 */
export class Gate {
  readonly opened: Promise<void>;
  readonly #resolve: () => void;
  readonly #cancel: () => void;
  #isOpen = false;

  constructor(ms: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.opened = promise;
    this.#resolve = resolve;
    this.#cancel = after(ms, () => this.open());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  open(): void {
    this.#isOpen = true;
    this.#cancel();
    this.#resolve();
  }
}
