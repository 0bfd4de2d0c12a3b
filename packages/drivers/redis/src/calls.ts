import {
  BusError,
  type CallRequest,
  type Calls,
  type InboundCall,
  type OutboundCall,
  type Registration,
  type ReplySink,
  type ServerRecord,
  type ServerSpec,
} from "@quadrant/contract";
import { InboundCalls } from "./inbound-calls.ts";
import type { Link } from "./link/link.ts";
import { controlKey } from "./link/session.ts";
import { Mail } from "./mail.ts";
import { OutboundCalls } from "./outbound-calls.ts";
import { readWords, type WordReader } from "./pack/calls.ts";
import type { Requests } from "./requests.ts";
import { listOf, textOf } from "./resp/reply-reader.ts";
import { goneClients, listServers } from "./scripts/calls.ts";

/** How often is asked whether the other ends of calls are still there. */
const watchMs = 1_000;

/** Calls from client to client. */
export class RedisCalls implements Calls {
  readonly inbound: InboundCalls;
  readonly outbound: OutboundCalls;
  readonly #requests: Requests;
  readonly #mail: Mail;
  readonly #reader: WordReader = {
    frame: (id, order, frame) => this.outbound.frame(id, order, frame),
    word: (word) => {
      if (word.kind === "credit" || word.kind === "cancel") this.inbound.word(word);
      else this.outbound.word(word);
    },
  };
  #watching: NodeJS.Timeout | undefined;
  /** Who was missed at the last look. */
  #missed: ReadonlySet<string> = new Set();
  #closed = false;

  constructor(requests: Requests, link: Link) {
    this.#requests = requests;
    this.#mail = new Mail(link, (client) => this.#gone(client));
    this.inbound = new InboundCalls(requests, this.#mail);
    this.outbound = new OutboundCalls(requests, link, this.#mail);
  }

  async serve(spec: ServerSpec, accept: (call: InboundCall) => void): Promise<Registration> {
    const watched = (call: InboundCall): void => {
      this.#watch();
      accept(call);
    };
    const { close } = await this.inbound.serve(spec, watched);
    this.outbound.changed(spec.address);
    return {
      close: () => {
        this.outbound.changed(spec.address);
        return close();
      },
    };
  }

  call(request: CallRequest, replies: ReplySink): OutboundCall {
    if (this.#closed) {
      queueMicrotask(() => replies.fail(new BusError("closed", "call: the connection is closed", { driver: "redis" })));
      return { credit: () => undefined, cancel: () => undefined };
    }
    this.#watch();
    return this.outbound.call(request, replies);
  }

  async services(): Promise<readonly ServerRecord[]> {
    const rows = listOf(await this.#requests.run(listServers, controlKey, [], { what: "services", writes: false }));
    const records = rows.map((row) => JSON.parse(textOf(row)) as ServerRecord);
    return records.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  }

  /** While calls are under way: whether their other ends are still there. */
  #watch(): void {
    this.#watching ??= setTimeout(() => void this.#look(), watchMs).unref();
  }

  async #look(): Promise<void> {
    const peers = [...new Set([...this.outbound.servers(), ...this.inbound.callers()])];
    if (peers.length > 0) {
      const terms = { what: "look for clients", writes: false };
      const reply = await this.#requests.run(goneClients, controlKey, peers, terms).catch(() => []);
      const gone = listOf(reply).map(textOf);
      // Twice in a row: one that is just connecting again is not gone.
      for (const client of gone) if (this.#missed.has(client)) this.#gone(client);
      this.#missed = new Set(gone);
    }
    this.#watching = undefined;
    if (!this.#closed && this.outbound.size + this.inbound.size > 0) this.#watch();
  }

  #gone(client: string): void {
    this.outbound.gone(client);
    this.inbound.gone(client);
  }

  /** Words of other clients. */
  words(word: Buffer): void {
    readWords(word, 1, this.#reader);
  }

  restore(): Promise<void> {
    return this.inbound.restore();
  }

  ready(): void {
    this.#mail.ready();
  }

  lost(): void {
    this.outbound.lost();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#watching);
    this.outbound.close();
    await this.inbound.close();
    this.#mail.flush();
  }
}
