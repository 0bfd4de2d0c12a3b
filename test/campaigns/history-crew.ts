import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { HistoryOrder } from "./history-client.ts";

const program = fileURLToPath(new URL("./history-process.ts", import.meta.url));

/** A process with clients in it. It takes one order after the other, until it is killed. */
class ClientProcess {
  readonly #child: ChildProcess;
  #waiting: { resolve(said: unknown): void; reject(error: Error): void } | undefined;
  #gone = false;

  constructor() {
    this.#child = fork(program, [], { execPath: process.execPath, execArgv: [] });
    this.#child.on("message", (said) => this.#waiting?.resolve(said));
    this.#child.once("exit", (code, signal) => {
      this.#gone = true;
      this.#waiting?.reject(new Error(`a client's process ended with ${code ?? signal}`));
    });
  }

  /** Resolves with what it answers; rejects when it ends first. */
  ask(message: HistoryOrder | "stop"): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting = { resolve, reject };
    this.#child.send(message as object);
    return promise;
  }

  async kill(): Promise<void> {
    if (this.#gone) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}

interface Seat {
  process: ClientProcess;
  /** Whether it was killed, and another takes its seat: no answer of it is waited for. */
  killed: boolean;
  started: Promise<unknown>;
}

/** Client processes that are killed and replaced; those that live go on to the next history. */
export class Crew {
  readonly #seats: Seat[];
  #orders = 0;
  kills = 0;

  constructor(size: number) {
    this.#seats = Array.from({ length: size }, () => ({
      process: new ClientProcess(),
      killed: false,
      started: Promise.resolve(),
    }));
  }

  #order(seat: Seat, order: HistoryOrder): Promise<unknown> {
    const each = { ...order, name: `${order.name}-${this.#orders}`, seed: order.seed + this.#orders * 101 };
    this.#orders++;
    const { process } = seat;
    seat.started = process.ask(each).catch((error) => {
      // One that was killed while it began.
      if (seat.process === process && !seat.killed) throw error;
    });
    return seat.started;
  }

  /** Resolves once all have begun. */
  async start(order: HistoryOrder): Promise<void> {
    await Promise.all(this.#seats.map((seat) => this.#order(seat, order)));
  }

  /** SIGKILL for one; another takes its seat and the same order. */
  async killOne(which: number, order: HistoryOrder): Promise<void> {
    const seat = this.#seats[which % this.#seats.length]!;
    seat.killed = true;
    await seat.process.kill();
    this.kills++;
    seat.process = new ClientProcess();
    seat.killed = false;
    void this.#order(seat, order).catch(() => undefined);
  }

  /** Resolves when all have ended their part. */
  async stop(): Promise<void> {
    await Promise.all(
      this.#seats.map(async (seat) => {
        await seat.started;
        await seat.process.ask("stop");
      }),
    );
  }

  async end(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat.process.kill()));
  }
}
