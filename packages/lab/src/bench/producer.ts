import { setImmediate as turn } from "node:timers/promises";
import { type Payload, payloadMaker } from "./payload.ts";
import type { Window } from "./window.ts";

/** One way to hand a message over. `put` resolves when it has been accepted, in the sense of that way. */
export interface Outlet {
  put(payload: Payload): Promise<unknown>;
  close(): Promise<void>;
}

/** Microtasks alone would starve timers and sockets; a turn of the loop every so many messages costs next to nothing. */
const messagesPerTurn = 256;
/** How many un-awaited messages are put in one turn. */
const burst = 64;

/** Puts messages until it is stopped, with so many awaiting at a time; Infinity: none is awaited. */
export class Producer {
  readonly #outlet: Outlet;
  readonly #window: Window;
  readonly #make: (index: number) => Payload;
  #stopped = false;
  #failure: unknown;
  #running: Promise<unknown> = Promise.resolve();
  /** While it is there, everybody waits for it. */
  #turn: Promise<void> | undefined;

  constructor(outlet: Outlet, window: Window, bytes: number) {
    this.#outlet = outlet;
    this.#window = window;
    this.#make = payloadMaker(bytes);
  }

  start(inFlight: number): void {
    const loops = Number.isFinite(inFlight)
      ? Array.from({ length: inFlight }, () => this.#awaiting())
      : [this.#bursts()];
    this.#running = Promise.all(loops).catch((error) => this.#fail(error));
  }

  /** Resolves with how many were put, once all were accepted; rejects with what failed. */
  async stop(): Promise<number> {
    this.#stopped = true;
    this.#window.consumed(0);
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
    return this.#window.produced;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#stopped = true;
  }

  async #awaiting(): Promise<void> {
    while (!this.#stopped) {
      if (this.#turn !== undefined) await this.#turn;
      const index = this.#window.next();
      if (index === undefined) await this.#window.room();
      else await this.#outlet.put(this.#make(index));
      if (index !== undefined && index % messagesPerTurn === 0) this.#leaveTurn();
    }
  }

  #leaveTurn(): void {
    this.#turn ??= turn().then(() => {
      this.#turn = undefined;
    });
  }

  async #bursts(): Promise<void> {
    const fail = (error: unknown): void => this.#fail(error);
    while (!this.#stopped) {
      let full = false;
      for (let put = 0; put < burst && !full; put++) {
        const index = this.#window.next();
        if (index === undefined) full = true;
        else void this.#outlet.put(this.#make(index)).catch(fail);
      }
      await (full ? this.#window.room() : turn());
    }
  }
}
