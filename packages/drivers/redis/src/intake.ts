import { setImmediate as turn } from "node:timers/promises";

/** A fetch that brings fewer letters is followed by the next in no hurry. */
const few = 8;
/** So many mailboxes are remembered. */
const maxMailboxes = 1_000;

/**
 * When the next fetch of a mailbox is to be asked. Where letters come one by one, it waits until those that the last one
 * brought are settled, if that is under way: otherwise each letter would cost the server a fetch that finds nothing yet.
 */
export class Intake {
  /** Those of which the last fetch brought few, and the last settlement since. */
  readonly #slow = new Map<string, { settling: Promise<unknown> | undefined }>();

  brought(key: string, letters: number): void {
    if (letters >= few) this.#slow.delete(key);
    else if (!this.#slow.has(key)) {
      if (this.#slow.size >= maxMailboxes) this.#slow.delete(this.#slow.keys().next().value!);
      this.#slow.set(key, { settling: undefined });
    }
  }

  settling(key: string, settling: Promise<unknown>): void {
    const slow = this.#slow.get(key);
    if (slow === undefined) return;
    const over = (): void => {
      if (slow.settling === settling) slow.settling = undefined;
    };
    slow.settling = settling;
    settling.then(over, over);
  }

  /** Resolves when it is time, or the signal says that there will be no fetch. Never rejects. */
  async turn(key: string, signal: AbortSignal | undefined): Promise<void> {
    const slow = this.#slow.get(key);
    if (slow === undefined) return;
    // What came is handed over, and may be settled, in the turn that brought it.
    await turn();
    const { settling } = slow;
    if (settling === undefined || signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal?.removeEventListener("abort", done);
        resolve();
      };
      signal?.addEventListener("abort", done, { once: true });
      settling.then(done, done);
    });
  }
}
