import { setImmediate as turn } from "node:timers/promises";
import { build, encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js";
import type { Mark } from "./consumer.ts";

/** Something that is asked for and answered, with one answer awaited before the loop that asked goes on. */
export interface Errand {
  /** How many operations one run of it is. */
  readonly operations: number;
  /** `lane` is the number of the loop, for errands that must not meet. */
  run(index: number, lane: number): Promise<unknown>;
  close(): Promise<void>;
}

/** Latencies are held in nanoseconds, up to ten seconds, to three digits. */
const longestNs = 10_000_000_000;
/** Microtasks alone would starve timers and sockets: so often the event loop gets a turn. */
const turnEveryMs = 5;

/** Runs an errand in so many loops until it is stopped, and times each run. */
export class Caller {
  readonly #errand: Errand;
  readonly #latency: Histogram = build({ highestTrackableValue: longestNs, numberOfSignificantValueDigits: 3 });
  #runs = 0;
  #stopped = false;
  #failure: unknown;
  #running: Promise<unknown> = Promise.resolve();
  /** While it is there, every loop waits for it. */
  #turn: Promise<void> | undefined;
  #turnMs: number = performance.now();

  constructor(errand: Errand) {
    this.#errand = errand;
  }

  start(inFlight: number): void {
    const loops = Array.from({ length: inFlight }, (_, lane) => this.#loop(lane));
    this.#running = Promise.all(loops).catch((error) => {
      this.#failure ??= error;
      this.#stopped = true;
    });
  }

  reset(): Mark {
    this.#latency.reset();
    return { count: this.#runs * this.#errand.operations, atMs: performance.now() };
  }

  mark(): Mark {
    if (this.#failure !== undefined) throw this.#failure;
    return { count: this.#runs * this.#errand.operations, atMs: performance.now() };
  }

  /** Ends the loops; resolves with the latencies since the last reset: nanoseconds, compressed, in base64. */
  async stop(): Promise<string> {
    this.#stopped = true;
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
    return encodeIntoCompressedBase64(this.#latency);
  }

  #leaveTurn(): void {
    this.#turn ??= turn().then(() => {
      this.#turn = undefined;
      this.#turnMs = performance.now();
    });
  }

  async #loop(lane: number): Promise<void> {
    for (let index = 0; !this.#stopped; index++) {
      const beganMs = performance.now();
      await this.#errand.run(index, lane);
      const endedMs = performance.now();
      this.#latency.recordValue(Math.min(longestNs, Math.round((endedMs - beganMs) * 1e6)));
      this.#runs++;
      if (endedMs - this.#turnMs > turnEveryMs) this.#leaveTurn();
      if (this.#turn !== undefined) await this.#turn;
    }
  }
}
