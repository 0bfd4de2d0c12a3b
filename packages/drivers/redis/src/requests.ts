import { BusError, Deadlines, Roster } from "@quadrant/contract";
import { failureOf } from "./failures.ts";
import type { Link } from "./link/link.ts";
import { loadLibrary } from "./link/session.ts";
import { slotOf } from "./link/slots.ts";
import type { Wire } from "./link/wire.ts";
import { type Asked, type Posted, Request, type RequestTerms } from "./request.ts";
import type { Argument } from "./resp/command-writer.ts";
import { type Reply, ReplyError } from "./resp/reply-reader.ts";
import type { Script } from "./scripts/script.ts";

/** Scripts on their way: in order, repeated where that is safe, each with an end. */
export class Requests {
  readonly client: string;
  readonly clustered: boolean;
  readonly #link: Link;
  readonly #deadlines: Deadlines<Request>;
  /** Not written yet. */
  #waiting: Request[] = [];
  /** Written, and the connection was lost before the answer. */
  #unanswered: Request[] = [];
  readonly #open = new Roster<Request>();
  #places: number[] = [];
  #morePlaces = 0;
  #serial = 0;
  #closed = false;

  constructor(link: Link, client: string, timeoutMs: number) {
    this.#link = link;
    this.client = client;
    this.clustered = link.location.kind === "cluster";
    this.#deadlines = new Deadlines(timeoutMs, (request) => this.#late(request));
  }

  get size(): number {
    return this.#open.size;
  }

  run(script: Script, key: string, values: readonly Argument[], terms: RequestTerms): Promise<Reply> {
    return this.ask(script, key, values, terms).answer;
  }

  ask(script: Script, key: string, values: readonly Argument[], terms: RequestTerms): Asked {
    let request!: Request;
    const answer = new Promise<Reply>((resolve, reject) => {
      request = this.#post(script, key, values, terms, resolve, reject);
    });
    request.answer = answer;
    return request as Asked;
  }

  /** As `ask`; calls back as soon as the answer is here. */
  post(
    script: Script,
    key: string,
    values: readonly Argument[],
    terms: RequestTerms,
    replied: (reply: Reply) => void,
    failed: (error: BusError) => void,
  ): Posted {
    return this.#post(script, key, values, terms, replied, failed);
  }

  #post(
    script: Script,
    key: string,
    values: readonly Argument[],
    terms: RequestTerms,
    replied: (reply: Reply) => void,
    failed: (error: BusError) => void,
  ): Request {
    const request = new Request(this, this.clustered ? slotOf(key) : 0, script, key, values, terms, replied, failed);
    if (this.#closed) {
      request.over = true;
      failed(new BusError("closed", `${terms.what}: the connection has been closed`, { driver: "redis" }));
    } else this.#begin(request);
    return request;
  }

  abandon(request: Request, late: ((reply: Reply) => void) | undefined): boolean {
    const { written } = request;
    request.late = late;
    this.#end(request);
    return written;
  }

  #begin(request: Request): void {
    this.#open.add(request);
    if (request.script.guarded) {
      request.placeNumber = this.#places.pop() ?? this.#morePlaces++;
      request.serial = ++this.#serial;
    }
    if (request.terms.untimed !== true) this.#deadlines.add(request);
    this.#submit(request);
  }

  /** Now where there is a connection, else once there is one. */
  #submit(request: Request): void {
    if (this.#link.ready || (request.terms.urgent && this.#link.session !== undefined)) this.#write(request);
    else if (request.terms.urgent) this.#fail(request, this.#indefinite(request));
    else this.#waiting.push(request);
  }

  #write(request: Request): void {
    const wire = this.#link.session?.wireFor(request.slot);
    if (wire === undefined) this.#later(request, 50);
    else this.#writeTo(wire, request, false);
  }

  #writeTo(wire: Wire, request: Request, asking: boolean): void {
    request.written = true;
    const { script, key, values } = request;
    if (asking) wire.ask(["ASKING"]).catch(() => undefined);
    wire.send(request, (writer) => {
      writer
        .begin(values.length + (script.guarded ? 7 : 4))
        .raw(script.head)
        .argument(1)
        .argument(key);
      if (script.guarded) {
        writer
          .argument(request.place)
          .argument(request.serial)
          .argument(request.again ? "1" : "0");
      }
      for (const value of values) writer.argument(value);
    });
  }

  replied(request: Request, reply: Reply): void {
    if (request.over) {
      if (!(reply instanceof ReplyError)) request.late?.(reply);
      return;
    }
    if (reply instanceof ReplyError) {
      if (!this.#goesOn(request, reply)) this.#fail(request, failureOf(reply, request.terms.what));
      return;
    }
    this.#end(request);
    request.resolve(reply);
  }

  /** Whether the error says that nothing has happened, and where to try again. */
  #goesOn(request: Request, error: ReplyError): boolean {
    switch (error.code) {
      case "MOVED":
      case "ASK":
        void this.#follow(request, error);
        return true;
      case "TRYAGAIN":
      case "CLUSTERDOWN":
        this.#later(request, 50);
        return true;
      case "READONLY":
      case "LOADING":
      case "MASTERDOWN":
        request.written = false;
        this.#link.renew();
        this.#submit(request);
        return true;
      default:
        if (!error.message.includes("Function not found")) return false;
        void this.#reload(request);
        return true;
    }
  }

  /** Somebody has flushed the server's functions. */
  async #reload(request: Request): Promise<void> {
    const wire = this.#link.session?.wireFor(request.slot);
    try {
      if (wire !== undefined) await loadLibrary(wire, request.script.library);
    } catch (error) {
      if (error instanceof ReplyError) this.#fail(request, failureOf(error, request.terms.what));
    }
    this.#later(request, 0);
  }

  async #follow(request: Request, error: ReplyError): Promise<void> {
    const [kind, slot, server] = error.message.split(" ");
    request.written = false;
    try {
      const wire = await this.#link.session?.moved(Number(slot), server!, kind === "MOVED", this.#link.signal);
      if (request.over) return;
      if (wire !== undefined) this.#writeTo(wire, request, kind === "ASK");
      else this.#submit(request);
    } catch {
      this.#later(request, 100);
    }
  }

  #later(request: Request, ms: number): void {
    request.written = false;
    setTimeout(() => {
      if (!request.over) this.#submit(request);
    }, ms);
  }

  lost(request: Request): void {
    if (request.over) return;
    const { once, urgent } = request.terms;
    if (once || urgent) this.#fail(request, this.#indefinite(request));
    else this.#unanswered.push(request);
  }

  /** Everything can be written again. */
  ready(repeatable: boolean): void {
    const unanswered = this.#unanswered.splice(0);
    for (const request of unanswered) {
      if (request.over) continue;
      request.again = true;
      if (repeatable || !request.terms.writes) this.#write(request);
      else this.#fail(request, this.#indefinite(request));
    }
    for (const request of this.#waiting.splice(0)) if (!request.over) this.#write(request);
  }

  #late(request: Request): void {
    const { terms, written } = request;
    request.late = terms.late;
    if (written && terms.writes) this.#fail(request, this.#indefinite(request));
    else {
      const message = `${terms.what}: the server did not answer within requestTimeoutMs`;
      this.#fail(request, new BusError("unavailable", message, { driver: "redis" }));
    }
  }

  #indefinite({ terms }: Request): BusError {
    const message = `${terms.what}: sent, and the server did not answer; it may or may not have happened`;
    return new BusError("indefinite", message, { driver: "redis" });
  }

  #fail(request: Request, error: BusError): void {
    if (request.over) return;
    this.#end(request);
    request.reject(error);
  }

  #end(request: Request): void {
    if (request.over) return;
    request.over = true;
    this.#deadlines.delete(request);
    this.#open.delete(request);
    if (request.placeNumber !== -1) this.#places.push(request.placeNumber);
  }

  /** What is still asked rejects with "closed", or "indefinite" where it may have happened. */
  close(): void {
    this.#closed = true;
    for (const request of this.#open) {
      const { terms, written } = request;
      if (written && terms.writes) this.#fail(request, this.#indefinite(request));
      else this.#fail(request, new BusError("closed", `${terms.what}: the connection was closed`, { driver: "redis" }));
    }
    this.#waiting = [];
    this.#unanswered = [];
    this.#deadlines.close();
  }
}
