import { indexOf } from "./payload.ts";

/** How far somebody is, and when, on that process' own clock (ms). */
export interface Mark {
  readonly count: number;
  readonly atMs: number;
}

/** One way to receive: hands over each message to `take` as it comes, and says `settle` once what has to be done for it is done. */
export interface Inlet {
  close(): Promise<void>;
}
export type OpenInlet = (consumer: Pick<Consumer, "take" | "settle">) => Promise<Inlet>;

/** Counts what one producer sent: each message is expected once and in order. */
export class Consumer {
  readonly #report: (count: number) => void;
  readonly #every: number;
  #next = 0;
  #settled = 0;
  #missed = 0;
  #repeated = 0;
  #reported = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Reports how many were settled, every so many of them, and what is left over a little later. */
  constructor(report: (count: number) => void, every: number) {
    this.#report = report;
    this.#every = every;
    if (every > 1) this.#timer = setInterval(() => this.#flush(), 2).unref();
  }

  get mark(): Mark {
    return { count: this.#settled, atMs: performance.now() };
  }

  get missed(): number {
    return this.#missed;
  }

  get repeated(): number {
    return this.#repeated;
  }

  /** Whether it is a new one; what comes again is not to be settled. */
  take(payload: unknown): boolean {
    const index = indexOf(payload);
    if (index < this.#next) {
      this.#repeated++;
      return false;
    }
    this.#missed += index - this.#next;
    this.#next = index + 1;
    return true;
  }

  settle(): void {
    this.#settled++;
    if (this.#settled - this.#reported >= this.#every) this.#flush();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #flush(): void {
    if (this.#reported === this.#settled) return;
    this.#reported = this.#settled;
    this.#report(this.#settled);
  }
}
