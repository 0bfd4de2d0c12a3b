import { BusError, type TupleSpace } from "@quadrant/bus";

const lanes = 8;

/** What was put and taken while an owner is replaced, and what of it nobody can say. */
export interface Account {
  readonly put: ReadonlySet<number>;
  readonly maybePut: ReadonlySet<number>;
  readonly taken: readonly number[];
  /** Takes that may have taken something. */
  readonly maybeTaken: number;
}

/** Puts and takes `["work", n]` from two sides, until it is told to end. */
export class Load {
  readonly #put = new Set<number>();
  readonly #maybePut = new Set<number>();
  readonly #taken: number[] = [];
  #maybeTaken = 0;
  #next = 0;
  #going = true;
  readonly #running: Promise<unknown>;
  /** Called with when each operation began that has succeeded. */
  succeeded: (beganMs: number) => void = () => undefined;

  constructor(putting: TupleSpace, taking: TupleSpace) {
    this.#running = Promise.all(
      Array.from({ length: lanes }, () => Promise.all([this.#putAll(putting), this.#takeAll(taking)])),
    );
    this.#running.catch(() => undefined);
  }

  async #putAll(space: TupleSpace): Promise<void> {
    while (this.#going) {
      const n = this.#next++;
      const began = performance.now();
      try {
        await space.out(["work", n]);
        this.#put.add(n);
        this.succeeded(began);
      } catch (error) {
        if (codeOf(error) === "indefinite") this.#maybePut.add(n);
        else if (codeOf(error) !== "unavailable") throw error;
      }
    }
  }

  async #takeAll(space: TupleSpace): Promise<void> {
    while (this.#going) {
      const began = performance.now();
      try {
        const found = await space.inp(["work", Number]);
        if (found !== undefined) this.#taken.push(found[1]);
        this.succeeded(began);
      } catch (error) {
        if (codeOf(error) === "indefinite") this.#maybeTaken++;
        else if (codeOf(error) !== "unavailable") throw error;
      }
    }
  }

  async end(): Promise<Account> {
    this.#going = false;
    await this.#running;
    return { put: this.#put, maybePut: this.#maybePut, taken: this.#taken, maybeTaken: this.#maybeTaken };
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof BusError ? error.code : undefined;
}
