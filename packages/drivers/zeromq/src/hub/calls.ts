import {
  BusError,
  type CallControl,
  type CallRequest,
  checkName,
  IdTable,
  type InboundCall,
  type OutboundCall,
  type Registration,
  type ReplyFrame,
  type ReplySink,
  type ServerSpec,
} from "@quadrant/contract";
import type { PendingRecord } from "../wire/batch.ts";
import { passedCall, passedFrame, writeCall, writeFrame } from "../wire/call.ts";
import { u32At } from "../wire/reader.ts";
import { RecordKind } from "../wire/record.ts";
import { encodeError, encodeValues } from "../wire/values.ts";
import { maxRequests, maxServers } from "./limits.ts";
import { denied } from "./permissions.ts";
import type { HubSession } from "./session.ts";

interface HubServer {
  readonly spec: ServerSpec;
  registration: Registration | undefined;
}

/** A call that this session makes: where its replies go. */
class Outbound implements ReplySink {
  readonly #calls: HubCalls;
  readonly #id: number;
  over = false;

  constructor(calls: HubCalls, id: number) {
    this.#calls = calls;
    this.#id = id;
  }

  reply(frame: ReplyFrame): void {
    if (frame.kind !== "item") this.over = true;
    this.#calls.replied(this.#id, frame);
  }

  fail(error: BusError): void {
    this.over = true;
    this.#calls.failed(this.#id, error);
  }
}

/** A call that this session serves. */
class Invocation implements CallControl {
  readonly #calls: HubCalls;
  readonly #id: number;
  readonly call: InboundCall;
  readonly record: PendingRecord;

  constructor(calls: HubCalls, id: number, call: InboundCall, record: PendingRecord) {
    this.#calls = calls;
    this.#id = id;
    this.call = call;
    this.record = record;
  }

  credit(items: number): void {
    this.#calls.credit(this.#id, items);
  }

  cancel(): void {
    this.#calls.withdraw(this.#id, this);
  }
}

/** The direct calls of one session: those that it makes, and those that it serves. */
export class HubCalls {
  readonly #session: HubSession;
  readonly #servers = new Map<number, HubServer>();
  readonly #outbound = new IdTable<OutboundCall>();
  readonly #invocations = new IdTable<Invocation>();
  #nextInvocation = 1;

  constructor(session: HubSession) {
    this.#session = session;
  }

  get serving(): number {
    return this.#servers.size;
  }

  get inFlight(): number {
    return this.#outbound.size + this.#invocations.size;
  }

  /**
   * Handles a record of a client's, its body in the packet from `start` to `end`; false where the kind is none of these.
   * Throws where it is malformed.
   */
  record(kind: number, packet: Buffer, start: number, end: number): boolean {
    if (kind < RecordKind.call || kind > RecordKind.invokeRefuse || kind === RecordKind.bye) return false;
    const id = u32At(packet, start, end);
    if (kind === RecordKind.call) this.#call(id, passedCall(packet, start + 4, end));
    else if (kind === RecordKind.invokeReply) this.#reply(id, packet, start + 4, end);
    else if (kind === RecordKind.callCredit) this.#outbound.get(id)?.credit(u32At(packet, start + 4, end));
    else if (kind === RecordKind.callCancel) this.#cancel(id);
    else this.#refuse(id);
    return true;
  }

  // -- as a caller

  #call(id: number, request: CallRequest): void {
    checkName("address", request.address);
    if (this.#outbound.size >= maxRequests) {
      this.#fail(id, new BusError("overflow", `${maxRequests} calls of this client are in flight already`));
      return;
    }
    const { grants } = this.#session;
    if (grants !== undefined && !grants.allows("call", request.address)) {
      this.#session.denied();
      this.#fail(id, denied("call", request.address));
      return;
    }
    const sink = new Outbound(this, id);
    const call = this.#session.engine.calls.call(request, sink);
    if (!sink.over) this.#outbound.set(id, call);
  }

  replied(id: number, frame: ReplyFrame): void {
    if (frame.kind !== "item") this.#outbound.delete(id);
    writeFrame(this.#session.link.write().begin(RecordKind.callFrame).u32(id), frame).end();
    this.#session.wake();
  }

  failed(id: number, error: BusError): void {
    this.#outbound.delete(id);
    this.#fail(id, error);
  }

  #fail(id: number, error: BusError): void {
    this.#session.link
      .write()
      .begin(RecordKind.callFail)
      .u32(id)
      .bytes(encodeValues(encodeError(error)))
      .end();
    this.#session.wake();
  }

  #cancel(id: number): void {
    const call = this.#outbound.get(id);
    this.#outbound.delete(id);
    call?.cancel();
  }

  // -- as a server

  async serve(id: number, spec: ServerSpec): Promise<void> {
    checkName("address", spec.address);
    if (this.#servers.has(id)) throw new BusError("invalid", `registration ${id} exists`);
    if (this.#servers.size >= maxServers) {
      throw new BusError("overflow", `this client serves ${maxServers} addresses already: use another connection`);
    }
    const server: HubServer = { spec, registration: undefined };
    this.#servers.set(id, server);
    await this.#register(id, server);
  }

  async #register(id: number, server: HubServer): Promise<void> {
    const registration = await this.#session.engine.calls.serve(server.spec, (call) => this.#invoke(id, call));
    if (this.#servers.get(id) === server && this.#session.attached) server.registration = registration;
    else await registration.close();
  }

  async unserve(id: number): Promise<void> {
    const server = this.#servers.get(id);
    this.#servers.delete(id);
    await server?.registration?.close();
  }

  #invoke(server: number, call: InboundCall): void {
    const id = this.#nextInvocation;
    this.#nextInvocation = (id % 0xffff_ffff) + 1;
    const { link } = this.#session;
    const batch = link.write().begin(RecordKind.invoke).u32(id).u32(server);
    const record = writeCall(batch, call.request).endPending();
    const invocation = new Invocation(this, id, call, record);
    this.#invocations.set(id, invocation);
    call.onControl(invocation);
    this.#session.wake();
  }

  credit(id: number, items: number): void {
    this.#session.link.write().begin(RecordKind.invokeCredit).u32(id).u32(items).end();
    this.#session.wake();
  }

  /** Its caller has left it. */
  withdraw(id: number, { record }: Invocation): void {
    if (!this.#invocations.delete(id)) return;
    if (!record.withdraw()) this.#session.link.write().begin(RecordKind.invokeCancel).u32(id).end();
    this.#session.wake();
  }

  #reply(id: number, packet: Buffer, start: number, end: number): void {
    const invocation = this.#invocations.get(id);
    if (invocation === undefined) return;
    const frame = passedFrame(packet, start, end);
    if (frame.kind !== "item") this.#invocations.delete(id);
    invocation.call.reply(frame);
  }

  #refuse(id: number): void {
    const invocation = this.#invocations.get(id);
    this.#invocations.delete(id);
    invocation?.call.refuse();
  }

  // -- the client goes away and comes back

  /** While the client is away nobody is sent to it; a call that had not left for it yet goes to another server. */
  suspend(): void {
    for (const server of this.#servers.values()) {
      void server.registration?.close();
      server.registration = undefined;
    }
    for (const [id, { call, record }] of this.#invocations) {
      if (!record.withdraw()) continue;
      this.#invocations.delete(id);
      call.refuse();
    }
  }

  resume(): void {
    for (const [id, server] of this.#servers) void this.#register(id, server);
  }

  end(): void {
    this.#servers.clear();
    for (const call of this.#outbound.values()) call.cancel();
    this.#outbound.clear();
    this.#invocations.clear();
  }
}
