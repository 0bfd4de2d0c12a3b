import {
  BusError,
  type CallControl,
  type CallRequest,
  type Calls,
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
import { Operation } from "../wire/operation.ts";
import { RecordKind } from "../wire/record.ts";
import { callRow, frameCode, readCall, readFrame, readServer, serverRow } from "../wire/transfer.ts";
import { decodeError, encodeValues, Values } from "../wire/values.ts";
import type { Connection } from "./connection.ts";
import type { Requests } from "./requests.ts";
import type { Restorer } from "./restorer.ts";

interface Outbound {
  readonly replies: ReplySink;
  readonly record: PendingRecord;
  readonly address: string;
}

interface Inbound {
  control: CallControl | undefined;
}

/** Calls over the hub: those made here, and those served here. */
export class ClientCalls implements Calls {
  readonly #connection: Connection;
  readonly #requests: Requests;
  readonly #restorer: Restorer;
  readonly #servers = new Map<number, (call: InboundCall) => void>();
  readonly #outbound = new Map<number, Outbound>();
  readonly #inbound = new Map<number, Inbound>();
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
    const record = this.#connection
      .write()
      .begin(RecordKind.call)
      .u32(id)
      .bytes(encodeValues(callRow(request)))
      .endPending({});
    this.#outbound.set(id, { replies, record, address: request.address });
    this.#connection.flush();
    return {
      credit: (items) => {
        if (!this.#outbound.has(id)) return;
        this.#connection.write().begin(RecordKind.callCredit).u32(id).u32(items).end();
        this.#connection.flush();
      },
      cancel: () => {
        if (!this.#outbound.delete(id) || record.withdraw()) return;
        this.#connection.write().begin(RecordKind.callCancel).u32(id).end();
        this.#connection.flush();
      },
    };
  }

  async services(): Promise<readonly ServerRecord[]> {
    return (await this.#requests.request(Operation.services, "services", "reads", [])).list(0).map(readServer);
  }

  /** A record of a call; false where the kind is another. Throws where it is malformed. */
  record(kind: number, body: Buffer): boolean {
    switch (kind) {
      case RecordKind.callFrame:
        this.#frame(body.readUInt32BE(0), readFrame(body.readUInt8(4), Values.read(body.subarray(5))));
        return true;
      case RecordKind.callFail: {
        const id = body.readUInt32BE(0);
        const outbound = this.#outbound.get(id);
        this.#outbound.delete(id);
        outbound?.replies.fail(decodeError(Values.read(body.subarray(4))));
        return true;
      }
      case RecordKind.invoke:
        this.#invoke(body.readUInt32BE(0), body.readUInt32BE(4), readCall(Values.read(body.subarray(8))));
        return true;
      case RecordKind.invokeCredit:
        this.#inbound.get(body.readUInt32BE(0))?.control?.credit(body.readUInt32BE(4));
        return true;
      case RecordKind.invokeCancel: {
        const id = body.readUInt32BE(0);
        const inbound = this.#inbound.get(id);
        this.#inbound.delete(id);
        inbound?.control?.cancel();
        return true;
      }
      default:
        return false;
    }
  }

  #frame(id: number, frame: ReplyFrame): void {
    const outbound = this.#outbound.get(id);
    if (outbound === undefined) return;
    if (frame.kind !== "item") this.#outbound.delete(id);
    outbound.replies.reply(frame);
  }

  #invoke(id: number, server: number, request: CallRequest): void {
    const accept = this.#servers.get(server);
    const inbound: Inbound = { control: undefined };
    const reply = (frame: ReplyFrame): void => {
      if (this.#inbound.get(id) !== inbound) return;
      if (frame.kind !== "item") this.#inbound.delete(id);
      const values = encodeValues([frame.contentType, frame.body]);
      this.#connection.write().begin(RecordKind.invokeReply).u32(id).u8(frameCode(frame)).bytes(values).end();
      this.#connection.flush();
    };
    const refuse = (): void => {
      if (!this.#inbound.delete(id)) return;
      this.#connection.write().begin(RecordKind.invokeRefuse).u32(id).end();
      this.#connection.flush();
    };
    this.#inbound.set(id, inbound);
    if (accept === undefined) {
      refuse();
      return;
    }
    accept({
      request,
      reply,
      refuse,
      onControl: (control) => {
        inbound.control = control;
      },
    });
  }

  /** The session was lost: calls that had been sent may or may not have been executed, callers of calls served here are gone. */
  renew(): void {
    for (const [id, { replies, record, address }] of [...this.#outbound]) {
      if (!record.sent) continue;
      this.#outbound.delete(id);
      const message = `the hub was lost while a call to ${address} was under way; it may or may not have been executed`;
      replies.fail(new BusError("indefinite", message, { driver: "zeromq" }));
    }
    for (const [id, inbound] of [...this.#inbound]) {
      this.#inbound.delete(id);
      inbound.control?.cancel();
    }
  }

  close(): void {
    for (const { replies } of [...this.#outbound.values()]) {
      replies.fail(new BusError("closed", "the connection was closed before the reply came", { driver: "zeromq" }));
    }
    this.#outbound.clear();
    for (const inbound of [...this.#inbound.values()]) inbound.control?.cancel();
    this.#inbound.clear();
    this.#servers.clear();
  }
}
