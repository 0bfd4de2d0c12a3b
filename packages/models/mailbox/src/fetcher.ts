import { after, BusError, type Leased, type LoanSource } from "@quadrant/contract";

const firstRetryMs = 50;
const longestRetryMs = 1_000;

/** What becomes of what is fetched. */
export interface Recipient {
  /** Resolves once those that nobody will get are given back. Never rejects. */
  accept(letters: readonly Leased[]): Promise<void>;
  /** The next fetch can begin. */
  ready(): void;
  /** Trying again would not help. */
  fail(error: BusError): void;
}

/** One fetch at a time from one source, tried again while what fails is of the kind that passes. */
export class Fetcher {
  readonly #source: LoanSource;
  readonly #leaseMs: number;
  readonly #recipient: Recipient;
  #fetching = false;
  /** Over when what was fetched last is taken care of. */
  #ended: Promise<void> | undefined;
  /** Of one fetch after the other, until one is ended by it. */
  #controller = new AbortController();
  #cancelRetry: (() => void) | undefined;
  #failures = 0;

  constructor(source: LoanSource, leaseMs: number, recipient: Recipient) {
    this.#source = source;
    this.#leaseMs = leaseMs;
    this.#recipient = recipient;
  }

  get busy(): boolean {
    return this.#fetching || this.#cancelRetry !== undefined;
  }

  start(max: number): void {
    if (this.#controller.signal.aborted) this.#controller = new AbortController();
    this.#fetching = true;
    this.#ended = this.#fetch(max, this.#controller.signal);
  }

  /** Ends a fetch that waits; resolves once what it had captured is taken care of. */
  async stop(): Promise<void> {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    if (!this.#fetching) return;
    this.#controller.abort();
    await this.#ended;
  }

  async #fetch(max: number, signal: AbortSignal): Promise<void> {
    let letters: readonly Leased[];
    try {
      letters = await this.#source.fetch({ max, leaseMs: this.#leaseMs, signal });
    } catch (error) {
      this.#fetching = false;
      this.#failed(error, signal);
      return;
    }
    this.#failures = 0;
    this.#fetching = false;
    const accepted = this.#recipient.accept(letters);
    this.#recipient.ready();
    await accepted;
  }

  #failed(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) this.#recipient.ready();
    else if (error instanceof BusError && error.retryable) this.#tryAgain();
    else this.#recipient.fail(this.#asBusError(error));
  }

  #asBusError(error: unknown): BusError {
    if (error instanceof BusError) return error;
    const message = `fetching from ${this.#source.what} failed: ${String(error)}`;
    return new BusError("unavailable", message, { cause: error });
  }

  #tryAgain(): void {
    this.#failures++;
    const longest = Math.min(longestRetryMs, firstRetryMs * 2 ** (this.#failures - 1));
    this.#cancelRetry = after(longest / 2 + (Math.random() * longest) / 2, () => {
      this.#cancelRetry = undefined;
      this.#recipient.ready();
    });
  }
}
