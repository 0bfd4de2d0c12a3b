/** A little over 300 lines because it is a request's whole life, from being asked to being answered or given up, in one place. */
import { createInbox } from "@nats-io/transport-node";
import {
  abortedError,
  after,
  afterReading,
  type BusError,
  type DriverOptions,
  grace,
  type Wait,
} from "@quadrant/contract";
import { type NatsConnection, within } from "../connection.ts";
import { failed } from "../failure.ts";
import type { Incoming } from "../incoming.ts";
import { readHeaders } from "../wire-headers.ts";
import type { Announcement } from "./announcement.ts";
import { ByteReader, type Value, type Values } from "./bytes.ts";
import type { Candidate } from "./candidate.ts";
import { AnswerKind, Assembly, frameVersion, toldError } from "./frame.ts";
import { Operation } from "./operation.ts";
import { Outgoing } from "./outgoing.ts";
import { type OwnerPolicy, OwnerWatch } from "./owner-watch.ts";
import { type Effect, Pending } from "./pending.ts";

const maxFrameBytes = 256 * 1024 * 1024;
/** Captures that were given up and may yet be answered; of older ones the lease of the ticket decides. */
const maxAbandoned = 10_000;
const maxPending = 200_000;
const sweepMs = 50;

function indefinite(what: string): BusError {
  return failed("indefinite", `${what}: sent, but the owner did not answer; it may or may not have happened`);
}

/** The requests of one connection to the owner of the spaces, whoever that is by now. */
export class SpaceRequests {
  readonly #connection: NatsConnection;
  readonly #timeoutMs: number;
  /** How long the first owner may take to be there. */
  readonly #electionMs: number;
  readonly #begunAt: number = performance.now();
  readonly #inbox = createInbox();
  readonly #pending = new Map<number, Pending>();
  readonly #abandoned = new Map<number, Pending>();
  readonly #watch: OwnerWatch;
  readonly #outgoing: Outgoing;
  readonly #assembly = new Assembly(maxFrameBytes);
  readonly #subscription: { close(): void };
  readonly #forgetBack: () => void;
  readonly #timer: NodeJS.Timeout;
  #epoch = 0;
  #nextId = 1;
  #lastHeard = 0;
  #closed = false;

  constructor(
    connection: NatsConnection,
    candidate: Candidate | undefined,
    policy: OwnerPolicy,
    { requestTimeoutMs, timeoutMs }: DriverOptions,
  ) {
    this.#connection = connection;
    this.#timeoutMs = requestTimeoutMs;
    this.#electionMs = timeoutMs;
    this.#outgoing = new Outgoing(connection, this.#inbox);
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, undefined, (message) => this.#message(message));
    this.#watch = new OwnerWatch(connection, candidate, policy, (owner) => this.#owned(owner));
    // Whatever was sent on the old connection may not have arrived, nor what was answered.
    this.#forgetBack = connection.onBack(() => {
      const { owner } = this.#watch;
      if (owner !== undefined) this.#owned(owner);
    });
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
    this.#timer.unref();
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Ends within the connection's requestTimeoutMs: "unavailable" when nothing was changed, else "indefinite". */
  request(operation: number, what: string, effect: Effect, values: readonly Value[]): Promise<Values> {
    try {
      const pending = this.#begin(operation, what, effect, values);
      pending.deadline = performance.now() + this.#timeoutMs;
      return pending.answer;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Waits for another party, as long as `wait` says. Timeout, abort and capture are one decision, the owner's. */
  wait(operation: number, what: string, effect: Effect, values: readonly Value[], wait: Wait): Promise<Values> {
    const { signal, timeoutMs } = wait;
    try {
      if (signal?.aborted) throw abortedError(signal, what, "nats");
      const pending = this.#begin(operation, what, effect, values);
      if (signal !== undefined) {
        const aborted = (): void => this.#stop(pending, abortedError(signal, what, "nats"));
        signal.addEventListener("abort", aborted, { once: true });
        pending.stopAbort = () => signal.removeEventListener("abort", aborted);
      }
      if (timeoutMs !== undefined) {
        pending.timeoutMs = timeoutMs;
        pending.stopTimer = after(timeoutMs, () =>
          this.#stop(pending, failed("timeout", `${what}: nothing within ${timeoutMs} ms`)),
        );
      } else {
        pending.endless = true;
        if (effect === "writes" || pending.epoch === 0) pending.deadline = performance.now() + this.#timeoutMs / 2;
      }
      return pending.answer;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #begin(operation: number, what: string, effect: Effect, values: readonly Value[]): Pending {
    if (this.#closed) throw failed("closed", `${what}: the connection is closed`);
    if (this.#pending.size >= maxPending)
      throw failed("overflow", `${what}: ${maxPending} operations wait already; let some of them end first`);
    const id = this.#nextId;
    this.#nextId = (id % 0xffff_ffff) + 1;
    const pending = new Pending(id, operation, what, effect, values);
    this.#pending.set(id, pending);
    if (this.#epoch !== 0 && this.#connection.connected) this.#send(pending, false);
    return pending;
  }

  #send(pending: Pending, again: boolean): void {
    pending.epoch = this.#epoch;
    this.#outgoing.request(pending, again);
    if (pending.ended !== undefined) this.#outgoing.cancel(pending.id);
  }

  /** Ends a wait: here where it never left, otherwise the owner says whether it was in time. */
  #stop(pending: Pending, error: BusError): void {
    if (pending.ended !== undefined || pending.done) return;
    pending.ended = error;
    if (pending.epoch === 0) {
      this.#settle(pending)?.reject(error);
      return;
    }
    if (this.#connection.connected) this.#outgoing.cancel(pending.id);
    pending.stopTimer?.();
    pending.stopTimer = grace({
      graceMs: Math.max(100, (pending.timeoutMs ?? 0) * 0.1) * 0.9,
      longestMs: this.#timeoutMs,
      lastHeard: () => this.#lastHeard,
      over: () => this.#abandon(pending),
    });
  }

  #sweep(): void {
    const { denied } = this.#watch;
    // Nobody has heard of them.
    if (denied !== undefined) for (const pending of this.#pending.values()) this.#settle(pending)?.reject(denied);
    const now = performance.now();
    const late: Pending[] = [];
    for (const pending of this.#pending.values()) if (pending.deadline <= now) late.push(pending);
    if (late.length === 0) return;
    // What has come meanwhile is read first.
    afterReading(() => {
      for (const pending of late) if (!pending.done && pending.deadline <= now) this.#late(pending);
    });
  }

  #late(pending: Pending): void {
    const now = performance.now();
    if (pending.epoch === 0 && this.#watch.expecting && now - this.#begunAt < this.#electionMs) {
      // Nobody has used a space before: connecting to an owner takes as long as connecting may.
      pending.deadline = now + sweepMs;
      return;
    }
    if (!pending.endless || pending.doubted) {
      this.#abandon(pending);
      return;
    }
    if (pending.epoch !== 0 && pending.effect !== "writes") {
      // It has found its owner: from now on it waits as long as it likes.
      pending.deadline = Number.POSITIVE_INFINITY;
      return;
    }
    // A write that names no timeout may wait as long as it likes, but only at an owner that answers.
    pending.doubted = true;
    pending.deadline = performance.now() + this.#timeoutMs / 2;
    this.request(Operation.sync, "sync", "reads", []).then(
      () => {
        pending.doubted = false;
        if (!pending.done) pending.deadline = Number.POSITIVE_INFINITY;
      },
      () => undefined,
    );
  }

  #settle(pending: Pending): Pending | undefined {
    if (pending.done) return undefined;
    pending.done = true;
    this.#pending.delete(pending.id);
    pending.stopTimer?.();
    pending.stopAbort?.();
    return pending;
  }

  /** Gives up on an answer. */
  #abandon(pending: Pending): void {
    if (this.#settle(pending) === undefined) return;
    const { what, effect, epoch, unheard, ended } = pending;
    if (unheard && ended !== undefined) {
      pending.reject(ended);
      return;
    }
    if (epoch === 0 || unheard) {
      const nobody = unheard ? "the owner of the spaces has left, and there is no other yet" : this.#watch.absence();
      const why = this.#epoch === 0 || unheard ? nobody : "there is no connection to the server";
      pending.reject(
        failed("unavailable", `${what}: ${this.#connection.connected ? why : "there is no connection to the server"}`),
      );
    } else if (effect === "reads") pending.reject(failed("unavailable", `${what}: the owner does not answer`));
    else {
      if (effect === "captures") this.#forsake(pending);
      pending.reject(indefinite(what));
    }
  }

  /** What it takes after all goes back. */
  #forsake(pending: Pending): void {
    if (this.#abandoned.size >= maxAbandoned) this.#abandoned.delete(this.#abandoned.keys().next().value!);
    this.#abandoned.set(pending.id, pending);
    if (this.#connection.connected) this.#outgoing.cancel(pending.id);
  }

  /** There is an owner, another one, or one that may have missed something: it is asked again for what is unanswered. */
  #owned({ epoch }: Announcement): void {
    if (this.#closed || !this.#connection.connected) return;
    const another = epoch !== this.#epoch;
    this.#epoch = epoch;
    this.#outgoing.begin(epoch);
    for (const pending of [...this.#pending.values()]) {
      if (pending.epoch === 0) this.#send(pending, false);
      else if (another && pending.effect === "writes" && !pending.unheard)
        this.#settle(pending)?.reject(indefinite(pending.what));
      // To another owner it is new.
      else this.#send(pending, !(another && pending.unheard));
    }
    for (const pending of this.#abandoned.values()) {
      this.#send(pending, true);
      this.#outgoing.cancel(pending.id);
    }
  }

  #message(message: Incoming): void {
    this.#lastHeard = performance.now();
    if (readHeaders(message.headers).status !== 0) {
      this.#unheard(message.lastToken);
      return;
    }
    const frame = this.#assembly.add(message.data);
    if (frame === undefined) return;
    const reader = new ByteReader(frame);
    if (reader.u8() !== frameVersion || reader.number() !== this.#epoch) return;
    const number = reader.u32();
    // Those in between were lost on the way.
    let again = number > this.#outgoing.heard + 1;
    while (reader.left > 0) {
      const kind = reader.u8();
      if (kind === AnswerKind.response) this.#respond(reader.u32(), reader.u8(), reader.values());
      else if (kind === AnswerKind.askAgain) again = true;
      // Said that it is here by what it has heard.
      else if (kind !== AnswerKind.ping) break;
    }
    const { owner } = this.#watch;
    // Before it is told that all up to this one has been heard.
    if (again && owner !== undefined) this.#owned(owner);
    if (number > this.#outgoing.heard) this.#outgoing.heardFrame(number);
  }

  /** The owner has left, or its connection: it got nothing of this frame, or not all of it. */
  #unheard(frame: number): void {
    for (const pending of this.#pending.values()) if (pending.frame === frame) pending.unheard = true;
  }

  #respond(id: number, status: number, values: Values): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) {
      if (this.#abandoned.delete(id) && status === 0) this.#outgoing.undo(id);
      return;
    }
    this.#settle(pending);
    if (status === 0) {
      pending.resolve(values);
      return;
    }
    const error = toldError(values);
    pending.reject(pending.ended !== undefined && error.code === "aborted" ? pending.ended : error);
  }

  /** Resolves once the owner has answered what changes something and waits for nobody, or at `deadline`. */
  answered(deadline: number): Promise<void> {
    const asked = [...this.#pending.values()].filter(
      ({ effect, epoch, endless, timeoutMs }) =>
        epoch !== 0 && !endless && timeoutMs === undefined && (effect === "writes" || effect === "settles"),
    );
    if (asked.length === 0 || !this.#connection.connected) return Promise.resolve();
    return within(Promise.allSettled(asked.map(({ answer }) => answer)), deadline - performance.now());
  }

  /** What was taken for nobody goes back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const pending of [...this.#pending.values()]) {
      const { id, what, effect, epoch } = pending;
      if (epoch !== 0 && effect === "captures") this.#outgoing.undo(id);
      const message = `${what}: the connection was closed before the answer came`;
      const unknown = epoch !== 0 && (effect === "writes" || effect === "settles");
      this.#settle(pending)?.reject(
        unknown ? failed("indefinite", `${message}; it may or may not have happened`) : failed("closed", message),
      );
    }
    this.#outgoing.bye();
    this.#outgoing.close();
    clearInterval(this.#timer);
    this.#forgetBack();
    this.#watch.close();
    this.#subscription.close();
  }
}
