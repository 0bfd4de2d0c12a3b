import { BusError } from "@quadrant/contract";
import type { WebSocket } from "ws";
import type { Asked, Failure, Told } from "../protocol.ts";
import { beatMs } from "../protocol.ts";
import { answers, type Desk, streams } from "./answers.ts";
import { readAsked, Terms } from "./asking.ts";

export interface VisitOptions {
  readonly desk: Desk;
  /** Whether the server has its bus. */
  readonly hasBus: () => boolean;
  /** How long something sent may wait for a page that does not read. */
  readonly slowMs: number;
}

/** Of one page; what is asked beyond is refused. */
const maxAsked = 64;
const policyViolation = 1008;
const goingAway = 1001;

/**
 * One page's WebSocket. Of each stream one item is on its way at a time, so that a slow page slows its streams down, and what
 * is conflated for it costs nothing; one that reads nothing at all is dropped, comes back and asks on from where it was.
 */
export class Visit {
  readonly ended: Promise<void>;
  readonly #socket: WebSocket;
  readonly #options: VisitOptions;
  readonly #asked = new Map<number, AbortController>();
  readonly #work = new Set<Promise<void>>();

  constructor(socket: WebSocket, options: VisitOptions) {
    this.#socket = socket;
    this.#options = options;
    let alive = true;
    socket.on("pong", () => {
      alive = true;
    });
    const beating = setInterval(() => {
      if (!alive) return socket.terminate();
      alive = false;
      socket.ping();
      void this.#tell({ beat: Date.now(), bus: options.hasBus() });
    }, beatMs);
    socket.on("message", (data, isBinary) => this.#hear(String(data), isBinary));
    socket.on("error", () => socket.terminate());
    this.ended = new Promise((resolve) => {
      socket.once("close", () => {
        clearInterval(beating);
        for (const asked of this.#asked.values()) asked.abort(new BusError("aborted", "the page has gone"));
        resolve(this.#finish());
      });
    });
    void this.#tell({ beat: Date.now(), bus: options.hasBus() });
  }

  close(): Promise<void> {
    this.#socket.close(goingAway, "the server ends");
    setTimeout(() => this.#socket.terminate(), 1_000).unref();
    return this.ended;
  }

  async #finish(): Promise<void> {
    await this.#options.desk.seats[Symbol.asyncDispose]();
    await Promise.all(this.#work);
  }

  #hear(text: string, isBinary: boolean): void {
    let asked: Asked;
    try {
      if (isBinary) throw new Error("text is expected");
      asked = readAsked(text);
    } catch (error) {
      this.#socket.close(policyViolation, (error as Error).message);
      return;
    }
    if ("stop" in asked) {
      this.#asked.get(asked.id)?.abort(new BusError("aborted", "the page has asked for its end"));
      return;
    }
    const work = this.#answer(asked).finally(() => this.#work.delete(work));
    this.#work.add(work);
  }

  async #answer(asked: Exclude<Asked, { readonly stop: true }>): Promise<void> {
    const { id, ask } = asked;
    if (this.#asked.has(id)) return this.#fail(id, { code: "malformed", message: `${id} is asked already` });
    if (this.#asked.size >= maxAsked) return this.#fail(id, { code: "too-many", message: "too much is asked at once" });
    const ending = new AbortController();
    this.#asked.set(id, ending);
    try {
      await this.#serve(id, ask, new Terms(asked.of), ending.signal);
    } catch (error) {
      await this.#fail(id, failureOf(error));
    } finally {
      this.#asked.delete(id);
    }
  }

  async #serve(id: number, ask: string, terms: Terms, signal: AbortSignal): Promise<void> {
    const { desk } = this.#options;
    const answer = answers.get(ask);
    if (answer !== undefined) return this.#tell({ id, value: (await answer(desk, terms, signal)) ?? null });
    const stream = streams.get(ask);
    if (stream === undefined) return this.#fail(id, { code: "malformed", message: `there is no ${ask}` });
    for await (const item of stream(desk, terms, signal)) {
      // A stream that never waits must not go on until the socket's close is told.
      if (signal.aborted || this.#socket.readyState !== this.#socket.OPEN) break;
      await this.#tell({ id, item: item ?? null });
    }
    return this.#tell({ id, end: true });
  }

  #fail(id: number, error: Failure): Promise<void> {
    return this.#tell({ id, error });
  }

  /** Resolves when it is out of this process; a page that does not take it in time is dropped. */
  #tell(told: Told): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve) => {
      if (socket.readyState !== socket.OPEN) return resolve();
      const slow = setTimeout(() => socket.terminate(), this.#options.slowMs);
      socket.send(JSON.stringify(told), () => {
        clearTimeout(slow);
        resolve();
      });
    });
  }
}

/** What a page is told of an error: what the bus says, and of anything else only that it happened. */
function failureOf(error: unknown): Failure {
  if (error instanceof BusError)
    return { code: error.code === "invalid" ? "malformed" : error.code, message: error.message };
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (error instanceof Error && typeof code === "string") return { code, message: error.message };
  return { code: "failed", message: "that failed on the server" };
}
