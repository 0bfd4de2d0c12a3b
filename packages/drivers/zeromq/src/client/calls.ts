import {
  BusError,
  type CallControl,
  type CallRequest,
  type Calls,
  IdTable,
  type InboundCall,
  isBusError,
  type OutboundCall,
  type Registration,
  type ReplyFrame,
  type ReplySink,
  type ServerRecord,
  type ServerSpec,
} from "@quadrant/contract";
import type { PendingRecord } from "../wire/batch.ts";
import { readCall, readFrame, writeCall, writeFrame } from "../wire/call.ts";
import { Operation } from "../wire/operation.ts";
import { u32At } from "../wire/reader.ts";
import { RecordKind } from "../wire/record.ts";
import { readServer, serverRow } from "../wire/transfer.ts";
import { toldError } from "../wire/values.ts";
import type { Connection } from "./connection.ts";
import type { Requests } from "./requests.ts";
import type { Restorer } from "./restorer.ts";

/** A call that is made here. */
class Outbound implements OutboundCall {
  readonly #calls: ClientCalls;
  readonly #id: number;
  readonly replies: ReplySink;
  readonly record: PendingRecord;
  readonly address: string;

  constructor(calls: ClientCalls, id: number, replies: ReplySink, record: PendingRecord, address: string) {
    this.#calls = calls;
    this.#id = id;
    this.replies = replies;
    this.record = record;
    this.address = address;
  }

  credit(items: number): void {
    this.#calls.credit(this.#id, items);
  }

  cancel(): void {
    this.#calls.cancel(this.#id, this);
  }
}

/** A call that is served here. */
class Inbound implements InboundCall {
  readonly #calls: ClientCalls;
  readonly #id: number;
  readonly request: CallRequest;
  control: CallControl | undefined = undefined;

  constructor(calls: ClientCalls, id: number, request: CallRequest) {
    this.#calls = calls;
    this.#id = id;
    this.request = request;
  }

  reply(frame: ReplyFrame): void {
    this.#calls.reply(this.#id, this, frame);
  }

  refuse(): void {
    this.#calls.refuse(this.#id);
  }

  onControl(control: CallControl): void {
    this.control = control;
  }
}

/** Calls over the hub: those made here, and those served here. */
export class ClientCalls implements Calls {
  readonly #connection: Connection;
  readonly #requests: Requests;
  readonly #restorer: Restorer;
  readonly #servers = new Map<number, (call: InboundCall) => void>();
  readonly #outbound = new IdTable<Outbound>();
  readonly #inbound = new IdTable<Inbound>();
  #nextId = 1;

  constructor(connection: Connection, requests: Requests, restorer: Restorer) {
    this.#connection = connection;
    this.#requests = requests;
    this.#restorer = restorer;
  }

  async serve(spec: ServerSpec, accept: (call: InboundCall) => void): Promise<Registration> {
    const id = this.#nextId++;
    const values = [id, serverRow({ ...spec, handled: 0, failed: 0, meanMs: 0 })];
    this.#servers.set(id, accept);
    try {
      await this.#requests.request(Operation.serve, `serve ${spec.address}`, "writes", values);
    } catch (error) {
      this.#servers.delete(id);
      // It may be registered all the same.
      if (isBusError(error, "indefinite")) {
        this.#requests.request(Operation.unserve, "stop serving", "ends", [id]).catch(() => undefined);
      }
      throw error;
    }
    // Not before: until it is answered, the request itself is asked again after the loss of the hub.
    const restored = this.#restorer.keep(Operation.serve, values, () => undefined);
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      restored.forget();
      // When the hub cannot be told, calls that still come are refused here.
      await this.#requests.request(Operation.unserve, "stop serving", "ends", [id]).catch(() => undefined);
      this.#servers.delete(id);
    };
    return {
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  }

  call(request: CallRequest, replies: ReplySink): OutboundCall {
    if (this.#connection.closed) {
      replies.fail(new BusError("closed", "call: the connection is closed", { driver: "zeromq" }));
      return { credit: () => undefined, cancel: () => undefined };
    }
    const id = this.#nextId;
    this.#nextId = (id % 0xffff_ffff) + 1;
    const batch = this.#connection.write();
    let record: PendingRecord;
    try {
      record = writeCall(batch.begin(RecordKind.call).u32(id), request).endPending();
    } catch (error) {
      batch.drop();
      throw error;
    }
    const outbound = new Outbound(this, id, replies, record, request.address);
    this.#outbound.set(id, outbound);
    this.#connection.gathering.asked(this.#outbound.size);
    return outbound;
  }

  credit(id: number, items: number): void {
    if (!this.#outbound.has(id)) return;
    this.#connection.write().begin(RecordKind.callCredit).u32(id).u32(items).end();
    this.#connection.gathering.written();
  }

  cancel(id: number, { record }: Outbound): void {
    if (!this.#outbound.delete(id) || record.withdraw()) return;
    this.#connection.write().begin(RecordKind.callCancel).u32(id).end();
    this.#connection.gathering.written();
  }

  async services(): Promise<readonly ServerRecord[]> {
    return (await this.#requests.request(Operation.services, "services", "reads", [])).list(0).map(readServer);
  }

  /**
   * A record of a call, its body in the packet from `start` to `end`; false where the kind is another. Throws where it is
   * malformed.
   */
  record(kind: number, packet: Buffer, start: number, end: number): boolean {
    if (kind < RecordKind.callFrame || kind > RecordKind.invokeCancel) return false;
    const id = u32At(packet, start, end);
    if (kind === RecordKind.callFrame) this.#frame(id, readFrame(packet, start + 4, end));
    else if (kind === RecordKind.invoke)
      this.#invoke(id, u32At(packet, start + 4, end), readCall(packet, start + 8, end));
    else if (kind === RecordKind.callFail) {
      const outbound = this.#outbound.get(id);
      this.#outbound.delete(id);
      outbound?.replies.fail(toldError(packet.subarray(start + 4, end)));
    } else if (kind === RecordKind.invokeCredit) this.#inbound.get(id)?.control?.credit(u32At(packet, start + 4, end));
    else {
      const inbound = this.#inbound.get(id);
      this.#inbound.delete(id);
      inbound?.control?.cancel();
    }
    return true;
  }

  #frame(id: number, frame: ReplyFrame): void {
    const outbound = this.#outbound.get(id);
    if (outbound === undefined) return;
    if (frame.kind !== "item") this.#outbound.delete(id);
    outbound.replies.reply(frame);
  }

  #invoke(id: number, server: number, request: CallRequest): void {
    const accept = this.#servers.get(server);
    const inbound = new Inbound(this, id, request);
    this.#inbound.set(id, inbound);
    if (accept === undefined) this.refuse(id);
    else accept(inbound);
  }

  reply(id: number, inbound: Inbound, frame: ReplyFrame): void {
    if (this.#inbound.get(id) !== inbound) return;
    if (frame.kind !== "item") this.#inbound.delete(id);
    writeFrame(this.#connection.write().begin(RecordKind.invokeReply).u32(id), frame).end();
    this.#connection.gathering.replied();
  }

  refuse(id: number): void {
    if (!this.#inbound.delete(id)) return;
    this.#connection.write().begin(RecordKind.invokeRefuse).u32(id).end();
    this.#connection.gathering.written();
  }

  /** The session was lost: calls that had been sent may or may not have been executed, callers of calls served here are gone. */
  renew(): void {
    for (const [id, { replies, record, address }] of this.#outbound) {
      if (!record.sent) continue;
      this.#outbound.delete(id);
      const message = `the hub was lost while a call to ${address} was under way; it may or may not have been executed`;
      replies.fail(new BusError("indefinite", message, { driver: "zeromq" }));
    }
    for (const [id, inbound] of this.#inbound) {
      this.#inbound.delete(id);
      inbound.control?.cancel();
    }
  }

  close(): void {
    for (const { replies } of this.#outbound.values()) {
      replies.fail(new BusError("closed", "the connection was closed before the reply came", { driver: "zeromq" }));
    }
    this.#outbound.clear();
    for (const inbound of this.#inbound.values()) inbound.control?.cancel();
    this.#inbound.clear();
    this.#servers.clear();
  }
}
