import { BusError, IdTable, isBusError } from "@quadrant/contract";
import type { PendingRecord } from "../wire/batch.ts";
import { type Layout, layouts } from "../wire/layout.ts";
import { RecordKind } from "../wire/record.ts";
import { encodeError, encodeValues, Values } from "../wire/values.ts";
import { graceMs, maxRequests, maxResponseBytes, requestBytes } from "./limits.ts";
import { type Asked, type Capture, type HubOperation, type Outcome, operations } from "./operations.ts";
import type { HubSession } from "./session.ts";
import { Withdrawal } from "./withdrawal.ts";

/** Of a hub that remembers nothing: whatever is asked again is asked anew. */
const forgotten: Asked = { ticket: undefined, again: false };

/** Of a durable hub. A class, as `Request`. */
class Ticketed implements Asked {
  readonly ticket: string;
  readonly again: boolean;

  constructor(ticket: string, again: boolean) {
    this.ticket = ticket;
    this.again = again;
  }
}

/** A class, not a literal: many may wait for long, and those of the others begin young all the same (`SpaceWaiter`). */
class Request {
  readonly id: number;
  readonly code: number;
  readonly operation: HubOperation;
  readonly layout: Layout | undefined;
  /** Of what can be asked again its values, a character a byte: a string is made, and kept, for less than a buffer. */
  readonly kept: string;
  readonly abort: Withdrawal | undefined;
  readonly asked: Asked;
  /** The client is away: it is withdrawn, to be asked again. */
  suspended = false;

  constructor(id: number, code: number, operation: HubOperation, kept: string, asked: Asked) {
    this.id = id;
    this.code = code;
    this.operation = operation;
    this.layout = layouts.get(code);
    this.kept = kept;
    this.abort = operation.waits ? new Withdrawal() : undefined;
    this.asked = asked;
  }
}

interface Delivered {
  readonly request: Request;
  readonly capture: Capture;
  readonly record: PendingRecord;
}

/** Throws "too-large" for more than one response carries. */
function encodeResult(values: readonly unknown[]): Buffer {
  const result = encodeValues(values);
  if (result.length <= maxResponseBytes) return result;
  const message = `the result has ${result.length} bytes, more than ${maxResponseBytes}: ask for less at once`;
  throw new BusError("too-large", message);
}

/**
 * What a client asked for and has not been answered, or has been given and not acknowledged. While the client is away
 * nothing is captured for it: what waits is withdrawn, what was captured and has not left is put back, both are asked
 * again when it returns.
 */
export class HubRequests {
  readonly #session: HubSession;
  readonly #running = new IdTable<Request>();
  readonly #suspended = new Map<number, Request>();
  readonly #delivered = new IdTable<Delivered>();
  /** Of what runs. */
  #bytes = 0;

  constructor(session: HubSession) {
    this.#session = session;
  }

  get size(): number {
    return this.#running.size + this.#suspended.size;
  }

  /** `first`: the session in which it was asked first, of an earlier hub. Throws where it is malformed beyond an answer. */
  execute(id: number, code: number, body: Buffer, first?: string): void {
    const operation = operations.get(code);
    if (operation === undefined) {
      const message = `this hub does not know operation ${code}: it is older than the client`;
      this.#respondError(id, new BusError("unsupported", message));
    } else if (this.size >= maxRequests) {
      this.#respondError(id, new BusError("overflow", `${maxRequests} requests of this client wait already`));
    } else if (this.#bytes + body.length > requestBytes && operation.waits) {
      const message = `the waiting requests of this client hold ${requestBytes} bytes: let it wait for less at once`;
      this.#respondError(id, new BusError("overflow", message));
    } else {
      const again = operation.waits || operation.captures;
      const kept = again ? body.toString("latin1") : "";
      this.#run(new Request(id, code, operation, kept, this.#asked(id, first)), body);
    }
  }

  #asked(id: number, first: string | undefined): Asked {
    if (!this.#session.durable) return forgotten;
    // Under CURVE with the client's key: whoever names another's session asks for nothing of it.
    const { owner } = this.#session.holder;
    const of = owner === "" ? "" : `${owner}:`;
    return new Ticketed(`${of}${first ?? this.#session.id}:${id}`, first !== undefined);
  }

  #run(request: Request, body: Buffer): void {
    this.#running.set(request.id, request);
    this.#bytes += request.kept.length;
    const { operation, layout, abort, asked } = request;
    let outcome: Promise<Outcome>;
    try {
      const values = layout === undefined ? Values.read(body) : layout.readRequest(body);
      this.#session.grants?.checkRequest(request.code, values);
      outcome = operation.run(this.#session, values, abort?.signal, asked);
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
    for (const { id, code, operation, kept, asked } of suspended) {
      this.#run(new Request(id, code, operation, kept, asked), Buffer.from(kept, "latin1"));
    }
  }

  /**
   * What was sent and never acknowledged may be in use: it is not put back. A durable hub keeps it for a while, in case the
   * client asks again.
   */
  end(): void {
    const captures = this.#delivered.values().map(({ capture }) => capture);
    if (this.#session.durable && captures.length > 0) {
      setTimeout(() => {
        for (const capture of captures) capture.arrived?.();
      }, graceMs).unref();
    }
    this.#delivered.clear();
    this.#suspended.clear();
    for (const request of this.#running.values()) request.abort?.abort();
  }

  #done(request: Request, { values, capture }: Outcome): void {
    this.#ran(request);
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
    const batch = link.write();
    try {
      batch.begin(RecordKind.response).u32(request.id).u8(0);
      if (request.layout === undefined) batch.bytes(encodeResult(values));
      else request.layout.writeResult(batch, values);
    } catch (error) {
      batch.drop();
      capture?.undo();
      this.#failed(request, error);
      return;
    }
    if (capture === undefined) batch.end();
    else {
      const record = batch.endPending({ acknowledged: () => this.#arrived(request.id) });
      this.#delivered.set(request.id, { request, capture, record });
    }
    this.#session.wake();
  }

  #ran(request: Request): void {
    if (this.#running.delete(request.id)) this.#bytes -= request.kept.length;
  }

  #arrived(id: number): void {
    const delivered = this.#delivered.get(id);
    if (delivered === undefined) return;
    this.#delivered.delete(id);
    delivered.capture.arrived?.();
  }

  #failed(request: Request, error: unknown): void {
    this.#ran(request);
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
    if (error.code === "denied") this.#session.denied();
    else if (error.code === "overflow") this.#session.overflowed();
    const values = encodeValues(encodeError(error));
    this.#session.link.write().begin(RecordKind.response).u32(id).u8(1).bytes(values).end();
    this.#session.wake();
  }
}
