import {
  BusError,
  checkName,
  type InboundCall,
  type OutboundCall,
  type Registration,
  type ServerSpec,
} from "@quadrant/contract";
import type { PendingRecord } from "../wire/batch.ts";
import { RecordKind } from "../wire/record.ts";
import { callRow, frameCode, readCall, readFrame } from "../wire/transfer.ts";
import { encodeError, encodeValues, Values } from "../wire/values.ts";
import { maxRequests } from "./limits.ts";
import type { HubSession } from "./session.ts";

interface HubServer {
  readonly spec: ServerSpec;
  registration: Registration | undefined;
}

interface Invocation {
  readonly call: InboundCall;
  readonly record: PendingRecord;
}

/** The direct calls of one session: those that it makes, and those that it serves. */
export class HubCalls {
  readonly #session: HubSession;
  readonly #servers = new Map<number, HubServer>();
  readonly #outbound = new Map<number, OutboundCall>();
  readonly #invocations = new Map<number, Invocation>();
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

  /** Handles a record of a client's; false where the kind is none of these. Throws where it is malformed. */
  record(kind: number, body: Buffer): boolean {
    const id = body.readUInt32BE(0);
    if (kind === RecordKind.call) this.#call(id, body.subarray(4));
    else if (kind === RecordKind.callCredit) this.#outbound.get(id)?.credit(body.readUInt32BE(4));
    else if (kind === RecordKind.callCancel) this.#cancel(id);
    else if (kind === RecordKind.invokeReply) this.#reply(id, body);
    else if (kind === RecordKind.invokeRefuse) this.#refuse(id);
    else return false;
    return true;
  }

  // -- as a caller

  #call(id: number, view: Buffer): void {
    const request = readCall(Values.read(view));
    checkName("address", request.address);
    const { link } = this.#session;
    if (this.#outbound.size >= maxRequests) {
      this.#fail(id, new BusError("overflow", `${maxRequests} calls of this client are in flight already`));
      return;
    }
    let done = false;
    const call = this.#session.engine.calls.call(request, {
      reply: (frame) => {
        if (frame.kind !== "item") {
          done = true;
          this.#outbound.delete(id);
        }
        const values = encodeValues([frame.contentType, frame.body]);
        link.write().begin(RecordKind.callFrame).u32(id).u8(frameCode(frame)).bytes(values).end();
        this.#session.wake();
      },
      fail: (error) => {
        done = true;
        this.#outbound.delete(id);
        this.#fail(id, error);
      },
    });
    if (!done) this.#outbound.set(id, call);
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
    const values = encodeValues(callRow(call.request));
    const record = link.write().begin(RecordKind.invoke).u32(id).u32(server).bytes(values).endPending({});
    this.#invocations.set(id, { call, record });
    call.onControl({
      credit: (items) => {
        link.write().begin(RecordKind.invokeCredit).u32(id).u32(items).end();
        this.#session.wake();
      },
      cancel: () => {
        if (!this.#invocations.delete(id)) return;
        if (!record.withdraw()) link.write().begin(RecordKind.invokeCancel).u32(id).end();
        this.#session.wake();
      },
    });
    this.#session.wake();
  }

  #reply(id: number, body: Buffer): void {
    const invocation = this.#invocations.get(id);
    if (invocation === undefined) return;
    const frame = readFrame(body.readUInt8(4), Values.read(body.subarray(5)));
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
