import { BusError, isBusError } from "@quadrant/contract";
import type { EngineSession } from "@quadrant/engine";
import { Link } from "../link/link.ts";
import type { PendingRecord } from "../wire/batch.ts";
import { dataHeaderBytes, decodeAck, encodeAck, readData } from "../wire/packet.ts";
import { eachRecord, RecordKind } from "../wire/record.ts";
import { encodeError, encodeValues, Values } from "../wire/values.ts";
import { HubCalls } from "./calls.ts";
import { maxRequests, maxResponseBytes, sessionBytes } from "./limits.ts";
import { type Capture, type Outcome, operations } from "./operations.ts";
import type { PacketSource } from "./router.ts";
import { HubTopics } from "./topics.ts";

/** What a session needs of its hub. */
export interface SessionHost {
  readonly engine: EngineSession;
  wake(session: HubSession): void;
  /** The session is over: "bye", or why. */
  end(session: HubSession, reason: string): void;
  describe(): Readonly<Record<string, unknown>>;
  malformed(): void;
}

interface Request {
  readonly id: number;
  readonly operation: number;
  readonly body: Buffer;
  readonly abort: AbortController | undefined;
  /** The client is away: the outcome is not for now. */
  suspended: boolean;
}

interface Delivered {
  readonly request: Request;
  readonly capture: Capture;
  readonly record: PendingRecord;
}

/**
 * What the hub holds for one client, over any number of connections: its link, its engine session, what it asked for and
 * has not been answered. While the client is away its waiting requests are withdrawn, so that it captures nothing, and
 * asked again when it comes back.
 */
export class HubSession implements PacketSource {
  readonly id: string;
  readonly name: string;
  readonly link: Link = new Link();
  route: Buffer | undefined;
  lastHeard = 0;
  lastSpoke = 0;
  detachedAt = 0;
  readonly topics: HubTopics;
  readonly calls: HubCalls;
  readonly engine: EngineSession;
  readonly #host: SessionHost;
  readonly #requests = new Map<number, Request>();
  readonly #suspended = new Map<number, Request>();
  /** Captures whose response is not acknowledged yet. */
  readonly #delivered = new Map<number, Delivered>();
  readonly #control: Buffer[] = [];
  #ended = false;

  constructor(id: string, name: string, host: SessionHost) {
    this.id = id;
    this.name = name;
    this.#host = host;
    this.engine = host.engine;
    this.topics = new HubTopics(this);
    this.calls = new HubCalls(this);
  }

  get attached(): boolean {
    return this.route !== undefined;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get pendingRequests(): number {
    return this.#requests.size + this.#suspended.size;
  }

  describeHub(): Readonly<Record<string, unknown>> {
    return this.#host.describe();
  }

  // -- sending

  wake(): void {
    if (this.route === undefined) return;
    if (this.link.pendingBytes > sessionBytes) this.#host.end(this, "it does not read what it asked for");
    else this.#host.wake(this);
  }

  /** A packet outside the link's numbering. */
  control(packet: Buffer): void {
    this.#control.push(packet);
    this.#host.wake(this);
  }

  nextPacket(): { readonly packet: Buffer; sent(): void; failed(reason: "unreachable" | "full"): void } | undefined {
    const control = this.#control.shift();
    if (control !== undefined) {
      return {
        packet: control,
        sent: () => undefined,
        failed: (reason) => (reason === "full" ? this.#control.unshift(control) : this.detach()),
      };
    }
    const batch = this.link.next();
    if (batch === undefined) return undefined;
    return {
      packet: batch.packet(),
      sent: () => {
        this.lastSpoke = performance.now();
        batch.markSent();
      },
      failed: (reason) => {
        this.link.unsend(batch);
        if (reason === "unreachable") this.detach();
      },
    };
  }

  // -- the connection comes and goes

  attach(route: Buffer, received: number | undefined): void {
    this.#control.length = 0;
    this.route = route;
    this.lastHeard = performance.now();
    if (received !== undefined) this.link.resume(received);
    this.calls.resume();
    for (const request of [...this.#suspended.values()]) {
      this.#suspended.delete(request.id);
      this.#execute(request.id, request.operation, request.body);
    }
    this.wake();
  }

  detach(): void {
    if (this.route === undefined) return;
    this.route = undefined;
    this.detachedAt = performance.now();
    for (const request of this.#requests.values()) {
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
    this.calls.suspend();
  }

  /** Ends the session. After a goodbye what the client holds goes back at once; otherwise its leases run out. */
  end(goodbye: boolean): void {
    if (this.#ended) return;
    this.detach();
    this.#ended = true;
    // What was sent and never acknowledged may be in use: it is not put back.
    this.#delivered.clear();
    this.#suspended.clear();
    for (const request of this.#requests.values()) request.abort?.abort();
    this.calls.end();
    if (goodbye) this.engine.close();
    else this.engine.abandon();
  }

  // -- receiving

  /** A data packet of this session; false when the connection is beyond repair. */
  receive(packet: Buffer): boolean {
    const verdict = this.link.accept(packet);
    if (verdict === "broken") return false;
    if (verdict === "take") {
      const whole = eachRecord(packet, dataHeaderBytes, (kind, body) => this.#record(kind, body));
      if (!whole) this.#host.malformed();
      this.link.taken();
    }
    this.#acknowledged(readData(packet)?.acknowledged ?? 0);
    if (this.link.owesAck && this.route !== undefined) {
      this.link.acked();
      this.control(encodeAck(this.link.received));
    }
    return true;
  }

  acknowledge(packet: Buffer): void {
    const acknowledged = decodeAck(packet);
    if (acknowledged === undefined) this.#host.malformed();
    else this.#acknowledged(acknowledged);
  }

  #acknowledged(sequence: number): void {
    this.link.acknowledge(sequence);
    this.topics.progress();
    if (this.link.ready) this.wake();
  }

  #record(kind: number, body: Buffer): void {
    if (this.#ended) return;
    try {
      if (kind === RecordKind.publish) this.topics.publish(body);
      else if (kind === RecordKind.request) this.#execute(body.readUInt32BE(0), body.readUInt8(4), body.subarray(5));
      else if (kind === RecordKind.cancel) this.#cancel(body.readUInt32BE(0));
      else if (kind === RecordKind.undo) this.#undo(body.readUInt32BE(0));
      else if (kind === RecordKind.bye) this.#host.end(this, "bye");
      else if (!this.calls.record(kind, body)) this.#host.malformed();
    } catch {
      // Malformed in itself: counted and dropped; what it was meant to be cannot be told.
      this.#host.malformed();
    }
  }

  #cancel(id: number): void {
    const request = this.#requests.get(id);
    if (request !== undefined) request.abort?.abort();
    else if (this.#suspended.delete(id)) this.#respondError(id, new BusError("aborted", "cancelled"));
  }

  #undo(id: number): void {
    const delivered = this.#delivered.get(id);
    if (delivered === undefined) return;
    this.#delivered.delete(id);
    delivered.capture.undo();
  }

  // -- requests

  #execute(id: number, code: number, view: Buffer): void {
    const operation = operations.get(code);
    if (operation === undefined) {
      this.#respondError(
        id,
        new BusError("unsupported", `this hub does not know operation ${code}: it is older than the client`),
      );
      return;
    }
    if (this.#requests.size >= maxRequests) {
      this.#respondError(id, new BusError("overflow", `${maxRequests} requests of this client wait already`));
      return;
    }
    const abort = operation.waits ? new AbortController() : undefined;
    // What can be asked again has to outlive the packet it came in.
    const body = operation.waits || operation.captures ? Buffer.from(view) : view;
    const request: Request = { id, operation: code, body, abort, suspended: false };
    this.#requests.set(id, request);
    let running: Promise<Outcome>;
    try {
      running = operation.run(this, Values.read(body), abort?.signal);
    } catch (error) {
      this.#failed(request, error);
      return;
    }
    running.then(
      (outcome) => this.#done(request, outcome),
      (error: unknown) => this.#failed(request, error),
    );
  }

  #done(request: Request, outcome: Outcome): void {
    this.#requests.delete(request.id);
    const { capture } = outcome;
    if (this.#ended) {
      capture?.undo();
      return;
    }
    // The client is away, and this can be asked again: nothing is captured for it now.
    if (request.suspended || (capture !== undefined && !this.attached)) {
      capture?.undo();
      this.#suspended.set(request.id, request);
      return;
    }
    const result = encodeValues(outcome.values);
    if (result.length > maxResponseBytes) {
      capture?.undo();
      this.#respondError(
        request.id,
        new BusError(
          "too-large",
          `the result has ${result.length} bytes, more than ${maxResponseBytes}: ask for less at once`,
        ),
      );
      return;
    }
    const batch = this.link.write().begin(RecordKind.response).u32(request.id).u8(0).bytes(result);
    if (capture === undefined) batch.end();
    else {
      const record = batch.endPending({
        acknowledged: () => void this.#delivered.delete(request.id),
      });
      this.#delivered.set(request.id, { request, capture, record });
    }
    this.wake();
  }

  #failed(request: Request, error: unknown): void {
    this.#requests.delete(request.id);
    if (this.#ended) return;
    if (request.suspended && isBusError(error, "aborted")) {
      this.#suspended.set(request.id, request);
      return;
    }
    const known = isBusError(error)
      ? error
      : new BusError("invalid", `the hub could not do this: ${error instanceof Error ? error.message : String(error)}`);
    this.#respondError(request.id, known);
  }

  #respondError(id: number, error: BusError): void {
    this.link
      .write()
      .begin(RecordKind.response)
      .u32(id)
      .u8(1)
      .bytes(encodeValues(encodeError(error)))
      .end();
    this.wake();
  }
}
