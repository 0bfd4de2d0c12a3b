import { abortedError, after, BusError, Deadlines, grace, IdTable, isBusError, type Wait } from "@quadrant/contract";
import type { PendingRecord } from "../wire/batch.ts";
import { layouts } from "../wire/layout.ts";
import { Operation } from "../wire/operation.ts";
import { RecordKind } from "../wire/record.ts";
import { decodeError, encodeValues, Values } from "../wire/values.ts";
import { Aborts } from "./aborts.ts";
import type { Connection } from "./connection.ts";
import type { LostSession } from "./connection-events.ts";
import { type Effect, Pending } from "./pending.ts";

function indefinite(what: string): BusError {
  return new BusError("indefinite", `${what}: sent, but the hub did not answer; it may or may not have happened`, {
    driver: "zeromq",
  });
}

/** The requests of one connection: their answers, deadlines, and fate when the hub is lost. */
export class Requests {
  readonly #connection: Connection;
  readonly #timeoutMs: number;
  readonly #pending = new IdTable<Pending>();
  /** Unanswered, with the connection's deadline. What is answered holds nothing here. */
  readonly #timed: Deadlines<Pending>;
  /** Writes that wait without a deadline of their own. */
  readonly #endless: Deadlines<Pending>;
  readonly #doubted: Deadlines<Pending>;
  readonly #aborts = new Aborts<Pending>((pending, signal) =>
    this.#stop(pending, abortedError(signal, pending.what, "zeromq")),
  );
  /** Captures that were given up and may still be answered. */
  readonly #abandoned = new Set<number>();
  #nextId = 1;

  constructor(connection: Connection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.#timed = new Deadlines(timeoutMs, (pending) => this.#abandon(pending));
    this.#endless = new Deadlines(timeoutMs / 2, (pending) => this.#doubt(pending));
    this.#doubted = new Deadlines(timeoutMs / 2, (pending) => this.#abandon(pending));
  }

  /** The deadline of what waits for nobody. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Ends within the connection's requestTimeoutMs: "unavailable" when nothing was changed, else "indefinite". */
  request(operation: number, what: string, effect: Effect, values: readonly unknown[]): Promise<Values> {
    try {
      const pending = this.#begin(operation, what, effect, values);
      this.#time(pending, this.#timed);
      return pending.answer;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Waits for another party, for as long as `wait` says. Timeout, abort and what the hub does are one decision, the hub's:
   * "timeout" and "aborted" mean that nothing happened there. Only when it does not answer: "indefinite".
   */
  wait(
    operation: number,
    what: string,
    effect: Effect,
    values: readonly unknown[],
    { signal, timeoutMs }: Wait,
  ): Promise<Values> {
    try {
      if (signal?.aborted) throw abortedError(signal, what, "zeromq");
      const pending = this.#begin(operation, what, effect, values);
      if (signal !== undefined) {
        pending.signal = signal;
        this.#aborts.add(signal, pending);
      }
      if (timeoutMs !== undefined) {
        pending.timeoutMs = timeoutMs;
        pending.stopTimer = after(timeoutMs, () => {
          const message = `${what}: nothing within ${timeoutMs} ms`;
          this.#stop(pending, new BusError("timeout", message, { driver: "zeromq" }));
        });
      } else if (effect === "writes") this.#time(pending, this.#endless);
      return pending.answer;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Ends a wait: here where it never left, otherwise the hub says whether it was in time. */
  #stop(pending: Pending, error: BusError): void {
    if (pending.ended !== undefined || pending.done) return;
    pending.ended = error;
    if (pending.record.withdraw()) {
      this.#settle(pending)?.reject(error);
      return;
    }
    this.#connection.write().begin(RecordKind.cancel).u32(pending.id).end();
    this.#connection.gathering.written();
    pending.stopTimer?.();
    pending.stopTimer = grace({
      graceMs: Math.max(100, (pending.timeoutMs ?? 0) * 0.1) * 0.9,
      longestMs: this.#timeoutMs,
      lastHeard: () => this.#connection.lastHeard,
      over: () => this.#abandon(pending),
    });
  }

  /**
   * A write that names no timeout may wait for another party as long as it likes, but only at the hub: it ends with the
   * connection's deadline unless the hub answers what was asked behind it, and so has it.
   */
  #doubt(pending: Pending): void {
    this.#time(pending, this.#doubted);
    this.request(Operation.sync, "sync", "reads", []).then(
      () => {
        if (!pending.done) this.#time(pending, undefined);
      },
      () => undefined,
    );
  }

  #begin(
    operation: number,
    what: string,
    effect: Effect,
    values: readonly unknown[],
    first?: string | undefined,
  ): Pending {
    if (this.#connection.closed)
      throw new BusError("closed", `${what}: the connection is closed`, { driver: "zeromq" });
    const id = this.#nextId;
    this.#nextId = (id % 0xffff_ffff) + 1;
    const pending = new Pending(id, operation, what, effect, values);
    pending.first = first;
    pending.record = this.#write(pending, first);
    this.#pending.set(id, pending);
    this.#connection.gathering.asked(this.#pending.size);
    return pending;
  }

  /**
   * Sets up again what a lost session had; written in the turn in which the new one begins. Resolves when the hub has done
   * it or refused it, or when this session is lost, too. A durable hub is told that it is not for the first time: what was
   * destroyed meanwhile stays so.
   */
  async restore(
    operation: number,
    values: readonly unknown[],
    failed: (error: BusError) => void,
    first: string | undefined,
  ): Promise<void> {
    const what = "set up again after the loss of the hub";
    try {
      await this.#begin(operation, what, "restores", values, first).answer;
    } catch (error) {
      if (isBusError(error) && error.code !== "closed") failed(error);
    }
  }

  /** `first`: the session in which it was asked first, of an earlier hub. */
  #write({ id, operation, values }: Pending, first?: string): PendingRecord {
    const batch = this.#connection.write();
    try {
      batch.begin(first === undefined ? RecordKind.request : RecordKind.requestAgain);
      batch.u32(id).u8(operation);
      if (first !== undefined) batch.bytes(Buffer.from(first, "hex"));
      const layout = layouts.get(operation);
      if (layout === undefined) batch.bytes(encodeValues(values));
      else layout.writeRequest(batch, values);
      return batch.endPending();
    } catch (error) {
      batch.drop();
      throw error;
    }
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
      this.#connection.gathering.written();
      return;
    }
    this.#settle(pending);
    const { ended, operation } = pending;
    try {
      if (body.readUInt8(4) !== 0) {
        const error = decodeError(Values.read(body.subarray(5)));
        pending.reject(ended !== undefined && error.code === "aborted" ? ended : error);
        return;
      }
      const layout = layouts.get(operation);
      const result = body.subarray(5);
      pending.resolve(layout === undefined ? Values.read(result) : layout.readResult(result));
    } catch (cause) {
      const message = `${pending.what}: the hub's answer cannot be read; it may or may not have happened`;
      pending.reject(new BusError("indefinite", message, { cause, driver: "zeromq" }));
      throw cause;
    }
  }

  /** In which list of deadlines it is from now on. */
  #time(pending: Pending, deadlines: Deadlines<Pending> | undefined): void {
    pending.deadlines?.delete(pending);
    pending.deadlines = deadlines;
    deadlines?.add(pending);
  }

  #settle(pending: Pending): Pending | undefined {
    if (pending.done) return undefined;
    pending.done = true;
    this.#pending.delete(pending.id);
    this.#time(pending, undefined);
    if (pending.signal !== undefined) this.#aborts.delete(pending.signal, pending);
    pending.stopTimer?.();
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

  /** What an earlier loss wanted set up is void: the session that it was for is lost, too. */
  forgetRestores(): void {
    for (const pending of this.#pending.values()) {
      if (pending.effect !== "restores") continue;
      pending.record.withdraw();
      this.#settle(pending)?.resolve(new Values([]));
    }
  }

  /**
   * The session was lost. What the hub cannot have done, or what may be done twice, is asked again; the rest is indefinite.
   * A durable hub is told in which session it was asked first: it may have kept what it took for it.
   */
  renew(lost: LostSession, durable: boolean): void {
    this.#abandoned.clear();
    for (const pending of this.#pending.values()) {
      // Never sent: it waits behind what is written now.
      if (!pending.record.sent || pending.effect === "restores") continue;
      const { effect } = pending;
      if ((effect === "captures" || effect === "settles") && durable) {
        pending.first ??= lost.session;
        pending.record = this.#write(pending, pending.first);
      } else if (effect === "reads" || effect === "captures" || (!lost.sameHub && !durable)) {
        pending.record = this.#write(pending);
      } else this.#settle(pending)?.reject(indefinite(pending.what));
    }
  }

  /** Before the goodbye: what was taken for nobody goes back with it. */
  close(): void {
    for (const pending of this.#pending.values()) {
      const { id, what, effect, record } = pending;
      if (record.sent && effect === "captures") this.#connection.write().begin(RecordKind.undo).u32(id).end();
      const message = `${what}: the connection was closed before the answer came`;
      this.#settle(pending)?.reject(
        record.sent && (effect === "writes" || effect === "settles")
          ? new BusError("indefinite", `${message}; it may or may not have happened`, { driver: "zeromq" })
          : new BusError("closed", message, { driver: "zeromq" }),
      );
    }
    for (const each of [this.#timed, this.#endless, this.#doubted, this.#aborts]) each.close();
  }
}
