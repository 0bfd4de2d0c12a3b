import { abortedError, after, BusError, isBusError, type Wait } from "@quadrant/contract";
import type { PendingRecord } from "../wire/batch.ts";
import { Operation } from "../wire/operation.ts";
import { RecordKind } from "../wire/record.ts";
import { decodeError, encodeValues, Values } from "../wire/values.ts";
import type { Connection } from "./connection.ts";
import { afterReading, grace } from "./grace.ts";

/** What is known of an operation when its answer does not come. */
export type Effect =
  /** it changes nothing: it can be asked again */
  | "reads"
  /** it takes something, which the hub puts back when it learns that the answer came too late */
  | "captures"
  /** it changes something */
  | "writes"
  /** it ends something of the session: the hub is told also where nobody waits for the answer any more */
  | "ends"
  /** it sets up again what a lost session had, and is pointless in the next one */
  | "restores";

interface Pending {
  readonly id: number;
  readonly operation: number;
  readonly what: string;
  readonly effect: Effect;
  readonly payload: Buffer;
  readonly resolve: (values: Values) => void;
  readonly reject: (error: BusError) => void;
  record: PendingRecord;
  /** Monotonic; Infinity for what waits for another party. */
  readonly deadline: number;
  done: boolean;
}

function indefinite(what: string): BusError {
  return new BusError("indefinite", `${what}: sent, but the hub did not answer; it may or may not have happened`, {
    driver: "zeromq",
  });
}

/** The requests of one connection: their answers, deadlines, and fate when the hub is lost. */
export class Requests {
  readonly #connection: Connection;
  readonly #timeoutMs: number;
  readonly #pending = new Map<number, Pending>();
  /** Unanswered, with the connection's deadline, hence in the order of their deadlines. What is answered holds nothing here. */
  readonly #timed = new Set<Pending>();
  /** Captures that were given up and may still be answered. */
  readonly #abandoned = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #nextId = 1;

  constructor(connection: Connection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  /** The deadline of what waits for nobody. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Ends within the connection's requestTimeoutMs: "unavailable" when nothing was changed, else "indefinite". */
  async request(operation: number, what: string, effect: Effect, values: readonly unknown[]): Promise<Values> {
    return (await this.#begin(operation, what, effect, values, performance.now() + this.#timeoutMs)).answer;
  }

  /**
   * Waits for another party, for as long as `wait` says. Timeout, abort and what the hub does are one decision, the hub's:
   * "timeout" and "aborted" mean that nothing happened there. Only when it does not answer: "indefinite".
   */
  async wait(operation: number, what: string, effect: Effect, values: readonly unknown[], wait: Wait): Promise<Values> {
    const { signal, timeoutMs } = wait;
    if (signal?.aborted) throw abortedError(signal, what, "zeromq");
    const { pending, answer } = this.#begin(operation, what, effect, values, Number.POSITIVE_INFINITY);
    let ended: BusError | undefined;
    let stopGrace: (() => void) | undefined;
    const stop = (error: BusError): void => {
      if (ended !== undefined || pending.done) return;
      ended = error;
      if (pending.record.withdraw()) {
        this.#settle(pending)?.reject(error);
        return;
      }
      this.#connection.write().begin(RecordKind.cancel).u32(pending.id).end();
      this.#connection.flush();
      stopGrace = grace({
        graceMs: Math.max(100, (timeoutMs ?? 0) * 0.1) * 0.9,
        longestMs: this.#timeoutMs,
        lastHeard: () => this.#connection.lastHeard,
        over: () => this.#abandon(pending),
      });
    };
    const onAbort = (): void => stop(abortedError(signal!, what, "zeromq"));
    signal?.addEventListener("abort", onAbort, { once: true });
    const stopTimer =
      timeoutMs === undefined
        ? undefined
        : after(timeoutMs, () =>
            stop(new BusError("timeout", `${what}: nothing within ${timeoutMs} ms`, { driver: "zeromq" })),
          );
    const stopDoubting = effect === "writes" && timeoutMs === undefined ? this.#doubt(pending) : undefined;
    try {
      return await answer;
    } catch (error) {
      throw ended !== undefined && error instanceof BusError && error.code === "aborted" ? ended : error;
    } finally {
      stopTimer?.();
      stopGrace?.();
      stopDoubting?.();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /**
   * A write that names no timeout may wait for another party as long as it likes, but only at the hub: it ends with the
   * connection's deadline unless the hub answers what was asked behind it, and so has it.
   */
  #doubt(pending: Pending): () => void {
    const halfMs = this.#timeoutMs / 2;
    let stop = after(halfMs, () => {
      let held = false;
      this.request(Operation.sync, "sync", "reads", []).then(
        () => {
          held = true;
        },
        () => undefined,
      );
      stop = after(halfMs, () =>
        afterReading(() => {
          if (!held) this.#abandon(pending);
        }),
      );
    });
    return () => stop();
  }

  #begin(
    operation: number,
    what: string,
    effect: Effect,
    values: readonly unknown[],
    deadline: number,
  ): { readonly pending: Pending; readonly answer: Promise<Values> } {
    if (this.#connection.closed)
      throw new BusError("closed", `${what}: the connection is closed`, { driver: "zeromq" });
    const payload = encodeValues(values);
    const id = this.#nextId;
    this.#nextId = (id % 0xffff_ffff) + 1;
    let pending!: Pending;
    const answer = new Promise<Values>((resolve, reject) => {
      pending = {
        id,
        operation,
        what,
        effect,
        payload,
        resolve,
        reject,
        record: this.#write(id, operation, payload),
        deadline,
        done: false,
      };
    });
    this.#pending.set(id, pending);
    if (deadline !== Number.POSITIVE_INFINITY) {
      this.#timed.add(pending);
      this.#arm();
    }
    this.#connection.flush();
    return { pending, answer };
  }

  /**
   * Sets up again what a lost session had; written in the turn in which the new one begins. Resolves when the hub has done
   * it or refused it, or when this session is lost, too.
   */
  async restore(operation: number, values: readonly unknown[], failed: (error: BusError) => void): Promise<void> {
    const what = "set up again after the loss of the hub";
    try {
      await this.#begin(operation, what, "restores", values, Number.POSITIVE_INFINITY).answer;
    } catch (error) {
      if (isBusError(error) && error.code !== "closed") failed(error);
    }
  }

  #write(id: number, operation: number, payload: Buffer): PendingRecord {
    return this.#connection.write().begin(RecordKind.request).u32(id).u8(operation).bytes(payload).endPending({});
  }

  /** The response record of the hub. */
  respond(body: Buffer): void {
    const id = body.readUInt32BE(0);
    const pending = this.#pending.get(id);
    if (pending === undefined) {
      // Given up here: what it took goes back. The hub is not to hear that the answer came before it hears this.
      if (!this.#abandoned.delete(id)) return;
      const acknowledged = this.#connection.withhold();
      this.#connection.write().begin(RecordKind.undo).u32(id).endPending({ acknowledged });
      this.#connection.flush();
      return;
    }
    this.#settle(pending);
    try {
      const values = Values.read(body.subarray(5));
      if (body.readUInt8(4) !== 0) pending.reject(decodeError(values));
      else pending.resolve(values);
    } catch (cause) {
      const message = `${pending.what}: the hub's answer cannot be read; it may or may not have happened`;
      pending.reject(new BusError("indefinite", message, { cause, driver: "zeromq" }));
      throw cause;
    }
  }

  #settle(pending: Pending): Pending | undefined {
    if (pending.done) return undefined;
    pending.done = true;
    this.#pending.delete(pending.id);
    this.#timed.delete(pending);
    return pending;
  }

  /** Gives up on an answer. */
  #abandon(pending: Pending): void {
    if (this.#settle(pending) === undefined) return;
    if (pending.effect === "captures" && pending.record.sent) this.#abandoned.add(pending.id);
    if (pending.effect === "reads" || (pending.effect !== "ends" && pending.record.withdraw())) {
      pending.record.withdraw();
      pending.reject(
        new BusError("unavailable", `${pending.what}: the hub does not answer; nothing was changed`, {
          driver: "zeromq",
        }),
      );
    } else pending.reject(indefinite(pending.what));
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    const [first] = this.#timed;
    if (first === undefined) return;
    this.#timer = setTimeout(() => afterReading(() => this.#expire()), Math.max(1, first.deadline - performance.now()));
    this.#timer.unref();
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const pending of this.#timed) {
      if (pending.deadline > now) break;
      this.#abandon(pending);
    }
    this.#arm();
  }

  /** What an earlier loss wanted set up is void: the session that it was for is lost, too. */
  forgetRestores(): void {
    for (const pending of [...this.#pending.values()]) {
      if (pending.effect !== "restores") continue;
      pending.record.withdraw();
      this.#settle(pending)?.resolve(new Values([]));
    }
  }

  /** The session was lost. What the hub cannot have done, or what may be done twice, is asked again; the rest is indefinite. */
  renew(sameHub: boolean, durable: boolean): void {
    this.#abandoned.clear();
    for (const pending of [...this.#pending.values()]) {
      // Never sent: it waits behind what is written now.
      if (!pending.record.sent || pending.effect === "restores") continue;
      const forgotten = !sameHub && !durable;
      if (pending.effect === "reads" || pending.effect === "captures" || forgotten) {
        pending.record = this.#write(pending.id, pending.operation, pending.payload);
      } else this.#settle(pending)?.reject(indefinite(pending.what));
    }
  }

  /** Before the goodbye: what was taken for nobody goes back with it. */
  close(): void {
    clearTimeout(this.#timer);
    for (const pending of [...this.#pending.values()]) {
      const { id, what, effect, record } = pending;
      if (record.sent && effect === "captures") this.#connection.write().begin(RecordKind.undo).u32(id).end();
      const message = `${what}: the connection was closed before the answer came`;
      this.#settle(pending)?.reject(
        record.sent && effect === "writes"
          ? new BusError("indefinite", `${message}; it may or may not have happened`, { driver: "zeromq" })
          : new BusError("closed", message, { driver: "zeromq" }),
      );
    }
  }
}
