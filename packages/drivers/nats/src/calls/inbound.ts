import { randomUUID } from "node:crypto";
import type { CallControl, CallRequest, InboundCall, ReplyFrame, ServerSpec } from "@quadrant/contract";
import type { NatsConnection } from "../connection.ts";
import type { Incoming } from "../incoming.ts";
import { type ReadHeaders, readCommonHeaders, readHeaders } from "../wire-headers.ts";
import {
  callSubject,
  controlSubject,
  frameHeaders,
  instanceSubject,
  methodOf,
  noticeHeaders,
  queueGroup,
} from "./layout.ts";
import type { Liveness } from "./liveness.ts";

/** A call that lasts longer is told to be with this server, so that both sides can watch over each other. */
const lastingMs = 100;
/** Of a caller that says nothing about it: another NATS client. */
const foreignTimeoutMs = 60_000;
const nothing = new Uint8Array(0);

/** What is served here at one address, and what became of it. */
export interface Served {
  readonly spec: ServerSpec;
  readonly accept: (call: InboundCall) => void;
  readonly started: Date;
  handled: number;
  failed: number;
  totalMs: number;
}

interface Inbound {
  readonly reply: string;
  readonly served: Served;
  readonly began: number;
  control: CallControl | undefined;
  accepted: boolean;
  unwatch: (() => void) | undefined;
}

/** Calls that arrive here. */
export class InboundCalls {
  readonly #connection: NatsConnection;
  readonly #liveness: Liveness;
  /** Of this connection, whatever it serves. */
  readonly instance: string = randomUUID();
  readonly servers: Set<Served> = new Set();
  readonly #calls = new Map<string, Inbound>();
  #timer: NodeJS.Timeout | undefined;
  #listening = false;

  constructor(connection: NatsConnection, liveness: Liveness) {
    this.#connection = connection;
    this.#liveness = liveness;
    connection.onLost(() => this.#abandonAll());
  }

  async serve(spec: ServerSpec, accept: (call: InboundCall) => void): Promise<() => Promise<void>> {
    const served: Served = { spec, accept, started: new Date(), handled: 0, failed: 0, totalMs: 0 };
    if (!this.#listening) {
      this.#listening = true;
      this.#connection.subscribe(instanceSubject(this.instance), undefined, (message) => this.#controlled(message));
    }
    let refused: Error | undefined;
    const calls = this.#connection.subscribe(
      callSubject(spec.address, "").concat("*"),
      queueGroup,
      (message) => this.#arrived(served, message),
      (error) => {
        refused = error;
      },
    );
    const control = this.#connection.subscribe(controlSubject(spec.address), undefined, (message) =>
      this.#controlled(message),
    );
    const end = async (): Promise<void> => {
      this.servers.delete(served);
      // Calls that are on their way still arrive, and are refused: they go to another server.
      await calls.drain();
      control.close();
    };
    try {
      await this.#connection.sync(`serve ${spec.address}`);
      if (refused !== undefined) throw refused;
    } catch (error) {
      void end();
      throw error;
    }
    this.servers.add(served);
    return end;
  }

  #arrived(served: Served, message: Incoming): void {
    const { reply } = message;
    if (reply === undefined || reply === "") return;
    const read = readCommonHeaders(message.headers);
    const inbound: Inbound = {
      reply,
      served,
      began: performance.now(),
      control: undefined,
      accepted: false,
      unwatch: undefined,
    };
    this.#calls.set(reply, inbound);
    this.#timer ??= setInterval(() => this.#tell(), lastingMs).unref();
    served.accept({
      request: requestOf(served.spec.address, message, read),
      reply: (frame) => this.#reply(inbound, frame),
      refuse: () => {
        if (this.#finish(inbound)) this.#publish(reply, nothing, noticeHeaders("refused", this.instance));
      },
      onControl: (control) => {
        inbound.control = control;
      },
    });
  }

  #publish(subject: string, body: Uint8Array, headers: ReturnType<typeof frameHeaders>): void {
    if (this.#connection.connected) this.#connection.publish(subject, body, undefined, headers);
  }

  #reply(inbound: Inbound, frame: ReplyFrame): void {
    if (this.#calls.get(inbound.reply) !== inbound) return;
    if (frame.kind !== "item") {
      const { served } = inbound;
      this.#finish(inbound);
      served.handled++;
      if (frame.kind === "error") served.failed++;
      served.totalMs += performance.now() - inbound.began;
    }
    this.#publish(inbound.reply, frame.body, frameHeaders(frame, this.instance));
  }

  #finish(inbound: Inbound): boolean {
    if (this.#calls.get(inbound.reply) !== inbound) return false;
    this.#calls.delete(inbound.reply);
    inbound.unwatch?.();
    return true;
  }

  /** Calls that last: their callers learn where they are, and are looked after. */
  #tell(): void {
    if (this.#calls.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const before = performance.now() - lastingMs / 2;
    for (const inbound of this.#calls.values()) {
      if (inbound.accepted || inbound.began > before || !this.#connection.connected) continue;
      inbound.accepted = true;
      const { reply } = inbound;
      this.#publish(reply, nothing, noticeHeaders("accepted", this.instance));
      // Whoever has the inbox of the call answers on a sibling of it.
      const probe = reply.slice(0, reply.lastIndexOf(".") + 1).concat("0");
      inbound.unwatch = this.#liveness.watch(probe, () => this.#abandon(inbound));
    }
  }

  #abandon(inbound: Inbound): void {
    if (this.#finish(inbound)) inbound.control?.cancel();
  }

  #abandonAll(): void {
    for (const inbound of [...this.#calls.values()]) this.#abandon(inbound);
  }

  /** Orders of callers; a question whether this connection is there. */
  #controlled(message: Incoming): void {
    if (message.reply !== undefined && message.reply !== "") {
      this.#publish(message.reply, nothing, undefined);
      return;
    }
    const inbound = this.#calls.get(Buffer.from(message.data).toString("latin1"));
    if (inbound === undefined) return;
    const [order, items] = (readHeaders(message.headers).own.get("quadrant-control") ?? "").split(" ");
    if (order === "cancel") this.#abandon(inbound);
    else if (order === "credit") inbound.control?.credit(Number(items));
  }

  /** Callers are told at once. */
  close(): void {
    for (const inbound of [...this.#calls.values()]) {
      this.#publish(inbound.reply, nothing, noticeHeaders("gone", this.instance));
      this.#abandon(inbound);
    }
    clearInterval(this.#timer);
    this.servers.clear();
  }
}

function requestOf(address: string, message: Incoming, read: ReadHeaders): CallRequest {
  const { own, headers, contentType } = read;
  const timeout = own.get("quadrant-timeout");
  const timeoutMs = timeout === "never" ? Number.POSITIVE_INFINITY : Number(timeout ?? foreignTimeoutMs);
  return {
    address,
    method: methodOf(message.subject, read),
    headers,
    contentType,
    body: message.data,
    timeoutMs,
    credit: Number(own.get("quadrant-credit") ?? 0),
  };
}
