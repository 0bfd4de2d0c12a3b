import { BusError, isBusError } from "@quadrant/contract";
import type { PendingRecord } from "../wire/batch.ts";
import { RecordKind } from "../wire/record.ts";
import { encodeError, encodeValues, Values } from "../wire/values.ts";
import { maxRequests, maxResponseBytes } from "./limits.ts";
import { type Capture, type HubOperation, type Outcome, operations } from "./operations.ts";
import type { HubSession } from "./session.ts";

interface Request {
  readonly id: number;
  readonly operation: HubOperation;
  /** Its values; of those that can be asked again a copy that outlives the packet. */
  readonly body: Buffer;
  readonly abort: AbortController | undefined;
  /** The client is away: it is withdrawn, to be asked again. */
  suspended: boolean;
}

interface Delivered {
  readonly request: Request;
  readonly capture: Capture;
  readonly record: PendingRecord;
}

/**
 * What a client asked for and has not been answered, or has been given and not acknowledged. While the client is away
 * nothing is captured for it: what waits is withdrawn, what was captured and has not left is put back, both are asked
 * again when it returns.
 */
export class HubRequests {
  readonly #session: HubSession;
  readonly #running = new Map<number, Request>();
  readonly #suspended = new Map<number, Request>();
  readonly #delivered = new Map<number, Delivered>();

  constructor(session: HubSession) {
    this.#session = session;
  }

  get size(): number {
    return this.#running.size + this.#suspended.size;
  }

  /** Throws where the record is malformed beyond an answer. */
  execute(id: number, code: number, body: Buffer): void {
    const operation = operations.get(code);
    if (operation === undefined) {
      const message = `this hub does not know operation ${code}: it is older than the client`;
      this.#respondError(id, new BusError("unsupported", message));
    } else if (this.size >= maxRequests) {
      this.#respondError(id, new BusError("overflow", `${maxRequests} requests of this client wait already`));
    } else {
      const again = operation.waits || operation.captures;
      this.#run({
        id,
        operation,
        body: again ? Buffer.from(body) : body,
        abort: operation.waits ? new AbortController() : undefined,
        suspended: false,
      });
    }
  }

  #run(request: Request): void {
    this.#running.set(request.id, request);
    let outcome: Promise<Outcome>;
    try {
      outcome = request.operation.run(this.#session, Values.read(request.body), request.abort?.signal);
    } catch (error) {
      this.#failed(request, error);
      return;
    }
    outcome.then(
      (done) => this.#done(request, done),
      (error: unknown) => this.#failed(request, error),
    );
  }

  cancel(id: number): void {
    const running = this.#running.get(id);
    if (running !== undefined) running.abort?.abort();
    else if (this.#suspended.delete(id)) this.#respondError(id, new BusError("aborted", "cancelled"));
  }

  /** The client gave up before the answer came: what it took goes back. */
  undo(id: number): void {
    const delivered = this.#delivered.get(id);
    if (!this.#delivered.delete(id)) return;
    delivered?.capture.undo();
  }

  suspend(): void {
    for (const request of this.#running.values()) {
      if (request.abort === undefined) continue;
      request.suspended = true;
      request.abort.abort();
    }
    for (const [id, { request, capture, record }] of this.#delivered) {
      if (!record.withdraw()) continue;
      this.#delivered.delete(id);
      capture.undo();
      this.#suspended.set(id, request);
    }
  }

  resume(): void {
    const suspended = [...this.#suspended.values()];
    this.#suspended.clear();
    for (const { id, operation, body } of suspended) {
      this.#run({ id, operation, body, abort: operation.waits ? new AbortController() : undefined, suspended: false });
    }
  }

  /** What was sent and never acknowledged may be in use: it is not put back. */
  end(): void {
    this.#delivered.clear();
    this.#suspended.clear();
    for (const request of this.#running.values()) request.abort?.abort();
  }

  #done(request: Request, { values, capture }: Outcome): void {
    this.#running.delete(request.id);
    const { ended, attached, link } = this.#session;
    if (ended) {
      capture?.undo();
      return;
    }
    if (request.operation.captures && (request.suspended || !attached)) {
      capture?.undo();
      this.#postpone(request);
      return;
    }
    const result = encodeValues(values);
    if (result.length > maxResponseBytes) {
      capture?.undo();
      const message = `the result has ${result.length} bytes, more than ${maxResponseBytes}: ask for less at once`;
      this.#respondError(request.id, new BusError("too-large", message));
      return;
    }
    const batch = link.write().begin(RecordKind.response).u32(request.id).u8(0).bytes(result);
    if (capture === undefined) batch.end();
    else {
      const record = batch.endPending({ acknowledged: () => void this.#delivered.delete(request.id) });
      this.#delivered.set(request.id, { request, capture, record });
    }
    this.#session.wake();
  }

  #failed(request: Request, error: unknown): void {
    this.#running.delete(request.id);
    if (this.#session.ended) return;
    if (request.suspended && isBusError(error, "aborted")) {
      this.#postpone(request);
      return;
    }
    const why = error instanceof Error ? error.message : String(error);
    const known = isBusError(error) ? error : new BusError("invalid", `the hub could not do this: ${why}`);
    this.#respondError(request.id, known);
  }

  /** To be asked again when the client is back, which it may be already. */
  #postpone(request: Request): void {
    this.#suspended.set(request.id, request);
    if (this.#session.attached) this.resume();
  }

  #respondError(id: number, error: BusError): void {
    const values = encodeValues(encodeError(error));
    this.#session.link.write().begin(RecordKind.response).u32(id).u8(1).bytes(values).end();
    this.#session.wake();
  }
}
