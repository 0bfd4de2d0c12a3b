import { createInbox } from "@nats-io/transport-node";
import { type CallRequest, IdTable, type OutboundCall, type ReplySink } from "@quadrant/contract";
import type { NatsConnection } from "../connection.ts";
import { failed } from "../failure.ts";
import type { Incoming } from "../incoming.ts";
import {
  commonHeaders,
  type EncodedHeaders,
  encodeHeaders,
  headerLine,
  type ReadHeaders,
  readCommonHeaders,
} from "../wire-headers.ts";
import { callSubject, controlSubject, instanceSubject, readFrame } from "./layout.ts";
import type { Liveness } from "./liveness.ts";

const maxRefusals = 8;
const nothing = new Uint8Array(0);

interface Outbound {
  readonly request: CallRequest;
  readonly replies: ReplySink;
  sent: boolean;
  /** The connection that has the call, once that is known. */
  instance: string | undefined;
  unwatch: (() => void) | undefined;
  refusals: number;
}

/** Calls made here. One inbox for all replies: the client's own requests cost a trace and a timer each. */
export class OutboundCalls {
  readonly #connection: NatsConnection;
  readonly #liveness: Liveness;
  readonly #inbox = createInbox();
  readonly #calls = new IdTable<Outbound>();
  #nextId = 1;
  #listening = false;

  constructor(connection: NatsConnection, liveness: Liveness) {
    this.#connection = connection;
    this.#liveness = liveness;
    connection.onLost(() => this.#lost());
    connection.onBack(() => {
      for (const [id, call] of this.#calls) if (!call.sent) this.#send(id, call);
    });
    connection.onDenied((operation, subject) => this.#denied(operation, subject));
  }

  call(request: CallRequest, replies: ReplySink): OutboundCall {
    if (this.#connection.closed) {
      replies.fail(failed("closed", "call: the connection is closed"));
      return { credit: () => undefined, cancel: () => undefined };
    }
    this.#listen();
    const id = this.#nextId++;
    const call: Outbound = { request, replies, sent: false, instance: undefined, unwatch: undefined, refusals: 0 };
    this.#calls.set(id, call);
    if (this.#connection.connected) this.#send(id, call);
    return {
      credit: (items) => {
        if (this.#calls.has(id)) this.#control(id, call, `credit ${items}`);
      },
      cancel: () => {
        if (!this.#calls.has(id)) return;
        this.#end(id, call);
        if (call.sent) this.#control(id, call, "cancel");
      },
    };
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#connection.subscribe(`${this.#inbox}.*`, undefined, (message) => this.#received(message));
  }

  #send(id: number, call: Outbound): void {
    const { address, method, body } = call.request;
    call.sent = true;
    const subject = callSubject(address, method);
    this.#connection.publish(subject, body, `${this.#inbox}.${id}`, requestHeaders(call.request, subject));
  }

  #control(id: number, call: Outbound, order: string): void {
    if (!this.#connection.connected) return;
    const { address } = call.request;
    const subject = call.instance === undefined ? controlSubject(address) : instanceSubject(call.instance);
    const headers = commonHeaders("", headerLine("Quadrant-Control", order));
    this.#connection.publish(subject, Buffer.from(`${this.#inbox}.${id}`), undefined, headers);
  }

  #received(message: Incoming): void {
    const { subject } = message;
    const id = Number(subject.slice(subject.lastIndexOf(".") + 1));
    const call = this.#calls.get(id);
    if (call === undefined) {
      // A probe of whether this caller is still there.
      if (message.reply !== "" && this.#connection.connected) this.#connection.publish(message.reply!, nothing);
      return;
    }
    const read = readCommonHeaders(message.headers);
    if (read.status === 503) {
      this.#noResponder(id, call);
      return;
    }
    const kind = read.own.get("quadrant-frame");
    if (kind !== undefined && !this.#noticed(id, call, kind, read)) return;
    const frame = readFrame(read, message.data);
    if (frame.kind !== "item") this.#end(id, call);
    call.replies.reply(frame);
  }

  /** Whether it is a frame for the caller. */
  #noticed(id: number, call: Outbound, kind: string, read: ReadHeaders): boolean {
    const instance = read.own.get("quadrant-instance");
    if (instance !== undefined && call.instance !== instance && kind !== "refused") this.#isWith(id, call, instance);
    if (kind === "accepted") return false;
    if (kind === "gone") this.#fail(id, call, "its server has gone");
    else if (kind === "refused") this.#again(id, call);
    else return true;
    return false;
  }

  #isWith(id: number, call: Outbound, instance: string): void {
    call.instance = instance;
    call.unwatch?.();
    call.unwatch = this.#liveness.watch(instanceSubject(instance), () => this.#fail(id, call, "its server has gone"));
  }

  #again(id: number, call: Outbound): void {
    if (++call.refusals > maxRefusals) this.#noResponder(id, call);
    else if (this.#connection.connected) this.#send(id, call);
    else call.sent = false;
  }

  #noResponder(id: number, call: Outbound): void {
    this.#end(id, call);
    const { address, method } = call.request;
    call.replies.fail(failed("no-responder", `nobody serves ${address} (calling ${method})`));
  }

  #fail(id: number, call: Outbound, why: string): void {
    if (!this.#calls.has(id)) return;
    this.#end(id, call);
    const message = `a call to ${call.request.address}: ${why}; it may or may not have been executed`;
    call.replies.fail(failed("indefinite", message));
  }

  #end(id: number, call: Outbound): void {
    this.#calls.delete(id);
    call.unwatch?.();
  }

  #lost(): void {
    for (const [id, call] of this.#calls) if (call.sent) this.#fail(id, call, "the connection was lost");
  }

  #denied(operation: string, subject: string): void {
    if (operation !== "publish") return;
    for (const [id, call] of this.#calls) {
      const { address, method } = call.request;
      if (callSubject(address, method) !== subject) continue;
      this.#end(id, call);
      call.replies.fail(failed("denied", `the server does not permit calling ${address}.${method}`));
    }
  }

  /** Servers are told; the callers above have been, too. */
  close(): void {
    for (const [id, call] of this.#calls) {
      this.#end(id, call);
      if (call.sent) this.#control(id, call, "cancel");
      call.replies.fail(failed("closed", "the connection was closed before the reply came"));
    }
  }
}

function requestHeaders(request: CallRequest, subject: string): EncodedHeaders | undefined {
  const { headers, contentType, timeoutMs, credit, method } = request;
  let extra = "";
  if (Number.isFinite(timeoutMs)) extra += headerLine("Quadrant-Timeout", Math.ceil(timeoutMs));
  else extra += headerLine("Quadrant-Timeout", "never");
  if (credit > 0) extra += headerLine("Quadrant-Credit", credit);
  if (!subject.endsWith(`.${method}`)) extra += headerLine("Quadrant-Method", encodeURIComponent(method));
  for (const _ in headers) return encodeHeaders(headers, contentType, extra);
  return commonHeaders(contentType, extra);
}
