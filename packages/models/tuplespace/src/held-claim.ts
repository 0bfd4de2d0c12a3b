import { after, BusError, type Claim, type ClaimSettlement, checkLease, type Drainable } from "@quadrant/contract";
import type { Origin } from "./origin.ts";

interface Settling {
  readonly kind: "ack" | "nak";
  readonly done: Promise<void>;
}

/** A tuple on loan. */
export class HeldClaim<T> implements Claim<T>, Drainable {
  readonly tuple: T;
  readonly #origin: Origin;
  readonly #token: string;
  readonly #controller = new AbortController();
  #untrack: (() => void) | undefined;
  #cancelExpiry: () => void = () => undefined;
  #settling: Settling | undefined;
  /** Why the claim is no more, though nobody settled it. */
  #lost: BusError | undefined;
  #done = false;
  #onEnd: (() => void)[] = [];

  constructor(origin: Origin, tuple: T, token: string, leaseMs: number) {
    this.tuple = tuple;
    this.#origin = origin;
    this.#token = token;
    // From its arrival: a claim that waited was granted long after it was asked for.
    this.#runUntil(leaseMs, performance.now());
    this.#untrack = origin.context.track(this);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  ack(): Promise<void> {
    return this.#settle("ack");
  }

  nak(): Promise<void> {
    return this.#settle("nak");
  }

  async extend(leaseMs: number): Promise<void> {
    if (leaseMs === undefined) throw this.#error("invalid", "extend(leaseMs): give milliseconds from now");
    checkLease("leaseMs", leaseMs);
    if (this.#settling !== undefined) throw this.#stale(`it is settled already (${this.#settling.kind})`);
    const sentAt = performance.now();
    await this.#send({ kind: "extend", token: this.#token, leaseMs });
    if (this.#lost === undefined && this.#settling === undefined) this.#runUntil(leaseMs, sentAt);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#lost !== undefined) return;
    // What cannot be given back now comes back by itself, with the end of its lease or of the connection.
    await (this.#settling?.done ?? this.nak()).catch(() => undefined);
  }

  async drain(): Promise<void> {
    if (!this.#done) await new Promise<void>((resolve) => this.#onEnd.push(resolve));
  }

  abandon(): void {
    this.#lose(this.#error("closed", "the bus closed while the tuple was claimed; it goes back"));
  }

  #settle(kind: "ack" | "nak"): Promise<void> {
    const settling = this.#settling;
    if (settling?.kind === kind) return settling.done;
    if (settling !== undefined) return Promise.reject(this.#stale(`it is settled already (${settling.kind})`));
    const done = this.#send({ kind, token: this.#token }).then(
      () => this.#end(),
      (error: unknown) => {
        // Not settled after all; it may be tried again while the lease lasts.
        this.#settling = undefined;
        throw error;
      },
    );
    this.#settling = { kind, done };
    return done;
  }

  async #send(settlement: ClaimSettlement): Promise<void> {
    this.#origin.context.assertOpen();
    if (this.#lost !== undefined) throw this.#lost;
    const refused = await this.#origin.tuples.settleClaim(this.#origin.space, settlement);
    if (refused === undefined) return;
    if (refused.code === "stale") this.#lose(refused);
    throw refused;
  }

  #runUntil(leaseMs: number, since: number): void {
    this.#cancelExpiry();
    this.#cancelExpiry = after(Math.max(0, leaseMs - (performance.now() - since)), () =>
      this.#lose(this.#stale("its lease has ended, and the tuple is back in its place")),
    );
  }

  #lose(why: BusError): void {
    if (this.#lost !== undefined) return;
    this.#lost = why;
    this.#controller.abort(why);
    this.#end();
  }

  #end(): void {
    this.#done = true;
    this.#cancelExpiry();
    this.#untrack?.();
    for (const ended of this.#onEnd.splice(0)) ended();
  }

  #stale(why: string): BusError {
    return this.#error("stale", `the claim in space ${JSON.stringify(this.#origin.space)}: ${why}`);
  }

  #error(code: "stale" | "closed" | "invalid", message: string): BusError {
    return new BusError(code, message, { driver: this.#origin.context.driver.name });
  }
}
