import type { Socket } from "node:net";
import type { Direction } from "./direction.ts";
import { seeded } from "./random.ts";

/** What waits here for one direction of one connection; beyond it the sender is made to wait. */
const maxWaiting = 1 << 20;

interface Piece {
  readonly bytes: Buffer;
  /** When it may go on, on the clock of `performance.now`. */
  readonly due: number;
}

/** The bytes of one connection in one direction, with what is wrong with that direction. */
export class StreamPipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #direction: Direction;
  readonly #random: () => number;
  /** Ends the connection: both sides. */
  readonly #end: (by: "fin" | "rst") => void;
  readonly #pieces: Piece[] = [];
  #waiting = 0;
  #lastDue = 0;
  #limitOf = 0;
  #passed = 0;
  #ended = false;
  #closed = false;
  #pumping = false;
  #wake: (() => void) | undefined;
  /** Whether what is waited for is room in the receiving socket. */
  #forRoom = false;

  constructor(from: Socket, to: Socket, direction: Direction, seed: number, end: (by: "fin" | "rst") => void) {
    this.#from = from;
    this.#to = to;
    this.#direction = direction;
    this.#random = seeded(seed);
    this.#end = end;
    this.#limitOf = direction.limits;
    from.on("data", (bytes) => this.#arrive(bytes as Buffer));
    from.on("end", () => {
      this.#ended = true;
      void this.#pump();
    });
    to.on("drain", () => {
      if (this.#forRoom) this.#wake?.();
    });
  }

  /** What is wrong has changed. */
  changed(): void {
    this.#wake?.();
    void this.#pump();
  }

  /** The connection is over: nothing goes on any more. */
  close(): void {
    this.#closed = true;
    this.#pieces.length = 0;
    this.#wake?.();
  }

  #arrive(bytes: Buffer): void {
    const { delay, slices, duplicate, flip } = this.#direction.faults;
    const now = performance.now();
    const jitter = delay?.jitterMs ? (2 * this.#random() - 1) * delay.jitterMs : 0;
    const due = delay === undefined ? now : Math.max(this.#lastDue, now + delay.ms + jitter);
    this.#lastDue = due;
    if (flip !== undefined) this.#turnOver(bytes, flip.probability);
    const copies = duplicate !== undefined && this.#random() < duplicate.probability ? 2 : 1;
    const size = slices?.bytes ?? bytes.length;
    for (let copy = 0; copy < copies; copy += 1) {
      for (let at = 0; at < bytes.length; at += size) {
        this.#pieces.push({ bytes: bytes.subarray(at, at + size), due });
      }
      this.#waiting += bytes.length;
    }
    if (this.#waiting > maxWaiting) this.#from.pause();
    void this.#pump();
  }

  #turnOver(bytes: Buffer, probability: number): void {
    for (let at = 0; at < bytes.length; at += 1) {
      if (this.#random() < probability) bytes[at]! ^= 1 << Math.floor(this.#random() * 8);
    }
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.#closed && !this.#direction.faults.silence) {
        const piece = this.#pieces[0];
        if (piece === undefined) break;
        // Without a delay any more, what was delayed goes on as well.
        const wait = this.#direction.faults.delay === undefined ? 0 : piece.due - performance.now();
        if (wait > 0) await this.#sleep(wait);
        else if (this.#to.writableNeedDrain) await this.#room();
        else await this.#pass(piece);
      }
    } finally {
      this.#pumping = false;
    }
    if (this.#ended && !this.#closed && this.#pieces.length === 0 && !this.#direction.faults.silence) this.#to.end();
  }

  /** The first piece goes on, or as much of it as a throttle or a limit lets pass. */
  async #pass(piece: Piece): Promise<void> {
    const { bytesPerSecond, limit, slices } = this.#direction.faults;
    const pause = slices?.delayMs ?? 0;
    let most = piece.bytes.length;
    // A throttled piece is small enough to take about a tenth of a second.
    if (bytesPerSecond !== undefined) most = Math.min(most, Math.max(1, Math.floor(bytesPerSecond / 10)));
    if (limit !== undefined) {
      if (this.#limitOf !== this.#direction.limits) this.#passed = 0;
      this.#limitOf = this.#direction.limits;
      most = Math.min(most, limit.bytes - this.#passed);
      if (most <= 0) return this.#end(limit.by ?? "fin");
      this.#passed += most;
    }
    const whole = most === piece.bytes.length;
    if (whole) this.#pieces.shift();
    else this.#pieces[0] = { ...piece, bytes: piece.bytes.subarray(most) };
    this.#waiting -= most;
    this.#to.write(whole ? piece.bytes : piece.bytes.subarray(0, most));
    if (this.#waiting <= maxWaiting / 2 && this.#from.isPaused()) this.#from.resume();
    if (bytesPerSecond !== undefined) await this.#sleep((most * 1_000) / bytesPerSecond);
    else if (whole && pause > 0) await this.#sleep(pause);
    // Between two pieces what was written goes out by itself.
    else if (this.#pieces.length > 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  async #room(): Promise<void> {
    this.#forRoom = true;
    await this.#sleep(undefined);
    this.#forRoom = false;
  }

  /** Until then, or until something has changed. */
  #sleep(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
