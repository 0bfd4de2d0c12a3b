import {
  BusError,
  type CallRequest,
  IdTable,
  isBusError,
  type OutboundCall,
  type ReplyFrame,
  type ReplySink,
} from "@quadrant/contract";
import { Directory } from "./directory.ts";
import { Dispatch } from "./dispatch.ts";
import { Gathering } from "./link/gathering.ts";
import type { Link } from "./link/link.ts";
import { controlKey } from "./link/session.ts";
import { type CallBatch, MadeCall } from "./made-call.ts";
import type { Mail } from "./mail.ts";
import { type CallWord, packCall, packCallInto, packedWord } from "./pack/calls.ts";
import type { Requests } from "./requests.ts";
import { listOf, textOf } from "./resp/reply-reader.ts";
import { cancelCall, placeCalls } from "./scripts/calls.ts";

/** Calls of one request: more go in several. */
const batchCalls = 256;
const batchBytes = 1_048_576;

const clientOf = (server: string): string => server.slice(0, server.indexOf("."));

/**
 * Calls made here: placed with a server by a script, which says who else serves the address; those that follow go to these
 * directly, for a while. Answered by words of the server.
 */
export class OutboundCalls {
  readonly #requests: Requests;
  readonly #mail: Mail;
  readonly #calls = new IdTable<MadeCall>();
  #next = 1;
  #batch: CallBatch | undefined;
  readonly #gathering = new Gathering(() => this.#send());
  readonly #directory = new Directory();
  readonly #dispatch: Dispatch<MadeCall>;

  constructor(requests: Requests, link: Link, mail: Mail) {
    this.#requests = requests;
    this.#mail = mail;
    this.#dispatch = new Dispatch(link, {
      before: () => mail.flush(),
      heard: (call) => {
        if (call.towards !== undefined) this.#with(call, call.towards);
      },
      unheard: (call, packed) => this.#unheard(call, packed),
      failed: (call, error) => this.#fail(call, error),
    });
  }

  get size(): number {
    return this.#calls.size;
  }

  /** The clients that serve a call of ours. */
  servers(): Set<string> {
    const servers = new Set<string>();
    for (const { server } of this.#calls.values()) if (server !== undefined) servers.add(server);
    return servers;
  }

  call(request: CallRequest, replies: ReplySink): OutboundCall {
    const id = this.#next++;
    const { address } = request;
    const call = new MadeCall(this, id, address, replies);
    this.#calls.set(id, call);
    const server = this.#directory.next(address);
    const { client } = this.#requests;
    if (server === undefined) this.#place(call, packCall(client, id, request));
    else {
      call.towards = clientOf(server);
      // Those that were to be placed were called before.
      this.#send();
      packCallInto(this.#dispatch.begin(server), client, id, request);
      this.#dispatch.end(server, call);
    }
    return call;
  }

  #place(call: MadeCall, packed: Buffer): void {
    let batch = this.#batch;
    if (batch !== undefined && (batch.calls.length >= batchCalls || batch.bytes >= batchBytes)) this.#send();
    batch = this.#batch ??= { calls: [], values: [], bytes: 0, asked: undefined };
    batch.calls.push(call);
    batch.values.push(call.address, "", packed);
    batch.bytes += packed.length;
    call.batch = batch;
    this.#gathering.add(false);
  }

  /** Its server is gone, or the connection is, before it could be sent: it was not executed. */
  #unheard(call: MadeCall, packed: Buffer): void {
    this.#directory.forget(call.address);
    call.towards = undefined;
    if (this.#calls.has(call.id)) this.#place(call, packed);
  }

  /** Who serves an address has changed, as was heard. */
  changed(address: string): void {
    this.#directory.forget(address);
  }

  #send(): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    this.#batch = undefined;
    this.#dispatch.flush();
    // What was said of earlier calls is heard before.
    this.#mail.flush();
    // Deadlines are the caller's; and what was sent once is not sent again.
    const terms = { what: "call", writes: true, untimed: true, once: true };
    batch.asked = this.#requests.ask(placeCalls, controlKey, batch.values, terms);
    batch.asked.answer.then(
      (reply) => {
        const placed = listOf(reply);
        for (const [index, call] of batch.calls.entries()) this.#isWith(call, textOf(placed[index]));
        for (let at = batch.calls.length; at < placed.length; at += 2) {
          this.#directory.heard(
            textOf(placed[at]),
            textOf(placed[at + 1])
              .split(" ")
              .filter(Boolean),
          );
        }
      },
      (error: BusError) => {
        for (const call of batch.calls) this.#failed(call, error);
      },
    );
  }

  #isWith(call: MadeCall, server: string): void {
    call.batch = undefined;
    if (server === "") {
      const message = `nobody serves ${call.address}: start a server, then call again`;
      this.#fail(call, new BusError("no-responder", message, { driver: "redis" }));
      return;
    }
    this.#with(call, clientOf(server));
  }

  #with(call: MadeCall, server: string): void {
    // It was passed on meanwhile: its server has said so.
    call.server ??= server;
    if (call.cancelled) this.#tellCancelled(call);
    else if (call.granted > 0 && this.#calls.has(call.id)) this.#grant(call);
  }

  #failed(call: MadeCall, error: BusError): void {
    if (!isBusError(error, "indefinite")) {
      this.#fail(call, error);
      return;
    }
    const message = `the connection was lost while a call to ${call.address} was under way; it may or may not have been executed`;
    this.#fail(call, new BusError("indefinite", message, { driver: "redis" }));
  }

  #fail(call: MadeCall, error: BusError): void {
    if (!this.#calls.delete(call.id)) return;
    call.replies.fail(error);
  }

  credit(call: MadeCall, items: number): void {
    if (!this.#calls.has(call.id)) return;
    call.granted += items;
    if (call.server !== undefined) this.#grant(call);
  }

  #grant(call: MadeCall): void {
    const items = call.granted;
    call.granted = 0;
    this.#mail.send(call.server!, { kind: "credit", caller: this.#requests.client, id: call.id, items });
  }

  cancel(call: MadeCall): void {
    if (!this.#calls.delete(call.id)) return;
    call.cancelled = true;
    const { batch } = call;
    if (this.#dispatch.withdraw(call)) return;
    if (batch === undefined || call.server !== undefined) this.#tellCancelled(call);
    else if (batch.asked === undefined || !batch.asked.written) this.#withdraw(batch, call);
    else this.#tellAll(call);
  }

  /** It is not known here yet who has it. */
  #tellAll({ address, id }: MadeCall): void {
    const word = packedWord({ kind: "cancel", caller: this.#requests.client, id });
    const terms = { what: "give a call up", writes: false, once: true };
    this.#requests.run(cancelCall, controlKey, [address, word], terms).catch(() => undefined);
  }

  /** Not sent yet: it never happens. */
  #withdraw(batch: CallBatch, call: MadeCall): void {
    const at = batch.calls.indexOf(call);
    if (at === -1) return;
    batch.calls.splice(at, 1);
    batch.values.splice(at * 3, 3);
    if (batch.calls.length > 0) return;
    batch.asked?.abandon();
    if (this.#batch === batch) this.#batch = undefined;
  }

  #tellCancelled({ towards, server = towards, id }: MadeCall): void {
    if (server !== undefined) this.#mail.send(server, { kind: "cancel", caller: this.#requests.client, id });
  }

  /** A reply, or an item of it; one that was sent twice is taken once. */
  frame(id: number, order: number, frame: ReplyFrame): void {
    const call = this.#calls.get(id);
    if (call === undefined || order !== call.order) return;
    call.order++;
    if (frame.kind !== "item") this.#calls.delete(id);
    call.replies.reply(frame);
  }

  /** What a server says of a call. */
  word(word: CallWord): void {
    const call = this.#calls.get(word.id);
    if (call === undefined) return;
    switch (word.kind) {
      case "moved":
        this.#directory.forget(call.address);
        call.towards = undefined;
        call.server = undefined;
        this.#isWith(call, word.server);
        return;
      case "lost":
        this.#serverGone(call);
        return;
      default:
        return;
    }
  }

  #serverGone(call: MadeCall): void {
    const message = `the server of ${call.address} went away: the call may or may not have been executed`;
    this.#fail(call, new BusError("indefinite", message, { driver: "redis" }));
  }

  gone(client: string): void {
    for (const call of this.#calls.values()) if (call.server === client) this.#serverGone(call);
  }

  /** The connection was lost, and with it what servers may have said: all that were sent are indefinite. */
  lost(): void {
    this.#directory.clear();
    // Those that have not left wait with others for the next connection.
    this.#dispatch.flush();
    for (const call of this.#calls.values()) {
      if (call.batch !== undefined && (call.batch.asked === undefined || !call.batch.asked.written)) continue;
      this.#tellCancelled(call);
      this.#failed(call, new BusError("indefinite", "lost", { driver: "redis" }));
    }
  }

  close(): void {
    for (const call of this.#calls.values()) {
      if (!this.#dispatch.withdraw(call)) this.#tellCancelled(call);
      const message = "the connection was closed before the reply came";
      this.#fail(call, new BusError("closed", message, { driver: "redis" }));
    }
  }
}
