import type { InboundCall, Registration, ReplyFrame, ServerSpec } from "@quadrant/contract";
import { controlKey } from "./link/session.ts";
import type { Mail } from "./mail.ts";
import { type CallWord, eachCall, type PackedCall, unpackCall } from "./pack/calls.ts";
import type { Requests } from "./requests.ts";
import { listOf, textOf } from "./resp/reply-reader.ts";
import { countCalls, joinServers, leaveServers, placeCalls } from "./scripts/calls.ts";
import { ServedCall, ServedCalls } from "./served-call.ts";

/** What a server has done is told to the others at most so often. */
const countsMs = 100;

interface Server {
  readonly id: number;
  readonly spec: ServerSpec;
  readonly accept: (call: InboundCall) => void;
  handled: number;
  failed: number;
  totalMs: number;
  /** Whether there is something that the others were not told. */
  counted: boolean;
  counting: NodeJS.Timeout | undefined;
}

/** Calls served here. */
export class InboundCalls {
  readonly #requests: Requests;
  readonly #mail: Mail;
  readonly #servers = new Map<number, Server>();
  readonly #calls = new ServedCalls<Server>();
  #next = 1;

  constructor(requests: Requests, mail: Mail) {
    this.#requests = requests;
    this.#mail = mail;
  }

  get size(): number {
    return this.#calls.size;
  }

  callers(): readonly string[] {
    return this.#calls.callers();
  }

  #name(id: number): string {
    return `${this.#requests.client}.${id}`;
  }

  #row({ spec, handled, failed, totalMs }: Server): string {
    return JSON.stringify({ ...spec, handled, failed, meanMs: handled === 0 ? 0 : totalMs / handled });
  }

  async serve(spec: ServerSpec, accept: (call: InboundCall) => void): Promise<Registration> {
    const id = this.#next++;
    const server: Server = { id, spec, accept, handled: 0, failed: 0, totalMs: 0, counted: false, counting: undefined };
    this.#servers.set(id, server);
    try {
      await this.#join(server, false);
    } catch (error) {
      void this.#leave(server);
      throw error;
    }
    let closing: Promise<void> | undefined;
    return {
      close: () => {
        closing ??= this.#leave(server);
        return closing;
      },
    };
  }

  async #join(server: Server, urgent: boolean): Promise<void> {
    const { address } = server.spec;
    const terms = { what: `serve ${address}`, writes: !urgent, urgent };
    await this.#requests.run(joinServers, controlKey, [address, this.#name(server.id), this.#row(server)], terms);
  }

  /** Calls that were placed here before the others knew are passed on. */
  async #leave(server: Server): Promise<void> {
    if (!this.#servers.delete(server.id)) return;
    clearTimeout(server.counting);
    const { address } = server.spec;
    const terms = { what: `stop serving ${address}`, writes: false };
    await this.#requests.run(leaveServers, controlKey, [address, this.#name(server.id)], terms).catch(() => undefined);
  }

  /** On a new connection. */
  async restore(): Promise<void> {
    await Promise.allSettled([...this.#servers.values()].map((server) => this.#join(server, true)));
  }

  /** Calls for a server of ours: its number, a line end, and of each who refused it, and what it is. */
  placed(word: Buffer): void {
    const end = word.indexOf(10);
    const number = word.toString("latin1", 1, end);
    const server = this.#servers.get(Number(number));
    eachCall(word, end + 1, (refusedBy, packed) => {
      if (server !== undefined) this.#accept(new ServedCall(this, unpackCall(packed), server, refusedBy, packed));
      else void this.#pass(unpackCall(packed), refusedBy, Number(number), packed);
    });
  }

  #accept(call: ServedCall<Server>): void {
    this.#calls.add(call);
    call.server.accept(call);
  }

  refuse(call: ServedCall<Server>): void {
    this.#calls.end(call);
    void this.#pass(call, call.refusedBy, call.server.id, call.packed);
  }

  reply(call: ServedCall<Server>, frame: ReplyFrame): void {
    if (frame.kind !== "item") {
      this.#calls.end(call);
      // Before the reply: who has it, and asks for the directory, finds it counted.
      this.#count(call, frame.kind === "error");
    }
    this.#mail.sendFrame(call.caller, call.id, call.order++, frame);
  }

  #count({ server, startedAt }: ServedCall<Server>, failed: boolean): void {
    server.handled++;
    if (failed) server.failed++;
    server.totalMs += performance.now() - startedAt;
    server.counted = true;
    if (server.counting === undefined) this.#tellCounts(server);
  }

  /** At once, and then, where there is more, at the end of each interval. */
  #tellCounts(server: Server): void {
    server.counting = undefined;
    if (!server.counted || !this.#servers.has(server.id)) return;
    server.counted = false;
    const terms = { what: "count calls", writes: false };
    this.#requests
      .run(countCalls, controlKey, [this.#name(server.id), this.#row(server)], terms)
      .catch(() => undefined);
    server.counting = setTimeout(() => this.#tellCounts(server), countsMs).unref();
  }

  /** To another server of the address; the caller learns which, or that there is none. */
  async #pass({ caller, id, request }: PackedCall, refusedBy: string, number: number, packed: Buffer): Promise<void> {
    const tried = `${refusedBy === "" ? "" : `${refusedBy} `}${this.#name(number)}`;
    const terms = { what: `pass a call to ${request.address} on`, writes: true, once: true };
    try {
      const placed = await this.#requests.run(placeCalls, controlKey, [request.address, tried, packed], terms);
      this.#mail.send(caller, { kind: "moved", id, server: textOf(listOf(placed)[0]) });
    } catch {
      this.#mail.send(caller, { kind: "lost", id });
    }
  }

  /** What a caller says of its call. */
  word(word: CallWord): void {
    if (word.kind !== "credit" && word.kind !== "cancel") return;
    const call = this.#calls.get(word.caller, word.id);
    if (call === undefined) return;
    if (word.kind === "credit") call.control?.credit(word.items);
    else this.#cancel(call);
  }

  #cancel(call: ServedCall<Server>): void {
    if (!this.#calls.end(call)) return;
    this.#count(call, true);
    call.control?.cancel();
  }

  gone(client: string): void {
    for (const call of this.#calls.of(client)) this.#cancel(call);
  }

  /** Callers of what still runs are told; servers are gone. */
  async close(): Promise<void> {
    const left = Promise.all([...this.#servers.values()].map((server) => this.#leave(server)));
    for (const call of this.#calls.all()) {
      this.#mail.send(call.caller, { kind: "lost", id: call.id });
      this.#cancel(call);
    }
    this.#mail.flush();
    await left;
  }
}
