import { type BusError, IdTable } from "@quadrant/contract";
import { failed } from "./failure.ts";
import type { Incoming } from "./incoming.ts";
import type { EncodedHeaders } from "./wire-headers.ts";

/** What is asked, and what is told to whom. */
export interface RequestTerms {
  readonly what: string;
  readonly subject: string;
  readonly body: Uint8Array;
  readonly headers: EncodedHeaders | undefined;
  readonly timeoutMs: number;
  /** Whether it can be asked again after a reconnect: it reads, or is guarded against its own repetition. */
  readonly repeatable: boolean;
  /** Whether it changes anything. */
  readonly writes: boolean;
  /** Whether an earlier copy of it, that nobody answered, may have done so. */
  readonly sentBefore: boolean;
  /** `sentBefore`: also of those terms, or on a connection that was lost meanwhile. */
  answer(message: Incoming, sentBefore: boolean): void;
  fail(error: BusError): void;
}

export class PendingRequest {
  readonly terms: RequestTerms;
  readonly deadline: number;
  /** On the connection that there is. */
  sent = false;
  /** On a connection that was lost; or an earlier copy. */
  sentBefore: boolean;

  constructor(terms: RequestTerms) {
    this.terms = terms;
    this.deadline = performance.now() + terms.timeoutMs;
    this.sentBefore = terms.sentBefore;
  }

  late(): void {
    const { what, timeoutMs, writes } = this.terms;
    const unknown = writes && (this.sent || this.sentBefore);
    const outcome = unknown ? "; it may or may not have happened" : "";
    const message = `${what}: the server has not answered within ${Math.round(timeoutMs)} ms${outcome}`;
    this.terms.fail(failed(unknown ? "indefinite" : "unavailable", message));
  }
}

const sweepMs = 20;

/** What waits for an answer, by the last token of the subject it comes to; one timer for all deadlines. */
export class RequestTable {
  readonly #pending = new IdTable<PendingRequest>();
  #nextId = 1;
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#pending.size;
  }

  add(request: PendingRequest): number {
    const id = this.#nextId++;
    this.#pending.set(id, request);
    this.#arm(request.deadline);
    return id;
  }

  take(id: number): PendingRequest | undefined {
    const request = this.#pending.get(id);
    if (request !== undefined) this.#pending.delete(id);
    return request;
  }

  /** All, to look at; what becomes of them is told by `take`. */
  entries(): IterableIterator<[id: number, request: PendingRequest]> {
    return this.#pending[Symbol.iterator]();
  }

  #arm(deadline: number): void {
    if (deadline >= this.#armedFor) return;
    clearTimeout(this.#timer);
    this.#armedFor = deadline;
    this.#timer = setTimeout(() => this.#sweep(), Math.max(sweepMs, Math.ceil(deadline - performance.now())));
  }

  #sweep(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [id, request] of this.#pending) {
      if (request.deadline <= now) {
        this.#pending.delete(id);
        request.late();
      } else if (request.deadline < next) next = request.deadline;
    }
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
  }

  close(error: BusError): void {
    clearTimeout(this.#timer);
    for (const [id, request] of this.#pending) {
      this.#pending.delete(id);
      request.terms.fail(error);
    }
  }
}
