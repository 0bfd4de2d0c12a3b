import { BusError } from "@quadrant/contract";

export interface Delay {
  readonly ms: number;
  /** Up to so much more or less, by chance. Order is kept all the same. Default 0. */
  readonly jitterMs?: number | undefined;
}

export interface Slices {
  /** Of each piece, at most. */
  readonly bytes: number;
  /** Between two pieces. Default 0: each is written by itself, at once. */
  readonly delayMs?: number | undefined;
}

export interface Chance {
  /** From 0 to 1. */
  readonly probability: number;
}

export interface Limit {
  /** What passes over each connection in this direction, counted from now. */
  readonly bytes: number;
  /** How both of its sides then see it end: by a FIN or a reset. Default "fin". */
  readonly by?: "fin" | "rst" | undefined;
}

/** What is wrong with one direction, of all connections of a proxy. */
export interface Faults {
  delay?: Delay | undefined;
  silence?: boolean | undefined;
  bytesPerSecond?: number | undefined;
  slices?: Slices | undefined;
  duplicate?: Chance | undefined;
  flip?: Chance | undefined;
  limit?: Limit | undefined;
}

function check(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (typeof value === "number" && value >= least && value <= most) return;
  throw new BusError("invalid", `${name} is a number from ${least} to ${most}, not ${value}`);
}

/**
 * One direction of a fault proxy: what is wrong with the bytes that go there, on the connections that are open and those to
 * come. Faults add up; each stays until `heal`. Wrong numbers throw "invalid".
 */
export class Direction {
  readonly #watchers: Set<() => void>;
  #faults: Faults = {};
  /** Counts the limits that were set: each counts bytes anew. */
  #limits = 0;

  constructor(watchers: Set<() => void>) {
    this.#watchers = watchers;
  }

  /** What is wrong now. */
  get faults(): Readonly<Faults> {
    return this.#faults;
  }

  get limits(): number {
    return this.#limits;
  }

  /** Every byte arrives later. */
  delay(ms: number, jitterMs = 0): void {
    check("delay", ms, 0, 600_000);
    check("jitterMs", jitterMs, 0, ms);
    this.#change({ delay: { ms, jitterMs } });
  }

  /** Nothing arrives, the end of a connection neither; the sender is not told. What was sent arrives once it is healed. */
  silence(): void {
    this.#change({ silence: true });
  }

  /** So many bytes arrive each second, on each connection. */
  throttle(bytesPerSecond: number): void {
    check("bytesPerSecond", bytesPerSecond, 1);
    this.#change({ bytesPerSecond });
  }

  /** What was sent at once arrives in pieces. */
  slice(bytes: number, delayMs = 0): void {
    check("bytes", bytes, 1);
    check("delayMs", delayMs, 0, 600_000);
    this.#change({ slices: { bytes, delayMs } });
  }

  /** What arrives at the proxy at once goes on twice, by chance: 1 is always. */
  duplicate(probability: number): void {
    check("probability", probability, 0, 1);
    this.#change({ duplicate: { probability } });
  }

  /** A bit of a byte is turned over, by chance: 0.001 is one in a thousand bytes. */
  flip(probability: number): void {
    check("probability", probability, 0, 1);
    this.#change({ flip: { probability } });
  }

  /** So many bytes pass over each connection from now on; with the next one the connection ends. */
  limit(bytes: number, by: "fin" | "rst" = "fin"): void {
    check("bytes", bytes, 0);
    this.#limits += 1;
    this.#change({ limit: { bytes, by } });
  }

  /** Nothing is wrong any more in this direction. */
  heal(): void {
    this.#faults = {};
    this.#tell();
  }

  #change(faults: Faults): void {
    this.#faults = { ...this.#faults, ...faults };
    this.#tell();
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
