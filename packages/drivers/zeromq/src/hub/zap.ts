import { type Context, Router } from "zeromq";

/** What a peer shows of itself before its connection is taken, as ZeroMQ's RFC 27 has it. */
export interface Applicant {
  readonly mechanism: string;
  /** Of CURVE the client's public key, 32 bytes, whose secret key it has proved to have. */
  readonly key: Buffer | undefined;
}

/**
 * `identity` becomes the routing id of the connection. Of status 400 ("unknown") the peer is told; of 300 ("not now") it is
 * not: it tries again.
 */
export type Admittance =
  | { readonly admitted: true; readonly identity: Buffer | undefined }
  | { readonly admitted: false; readonly status: "300" | "400"; readonly reason: string };

/**
 * libzmq looks for the answer once right after asking, and only what comes later overrides the routing id that the peer
 * asked for. With a moment in between it is later, also where its thread has to wait for a processor.
 */
const answerDelayMs = 5;

function property(name: string, value: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(value.length);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), size, value]);
}

/** Answers libzmq, which asks here about each connection to a socket of the same context before it takes it. */
export class ZapHandler {
  readonly #socket: Router;
  readonly #delayed = new Set<NodeJS.Timeout>();
  readonly #judge: (applicant: Applicant) => Admittance;
  readonly #ready: (Buffer | string)[][] = [];

  constructor(context: Context, judge: (applicant: Applicant) => Admittance) {
    this.#socket = new Router({ context, linger: 0, sendTimeout: 0 });
    this.#judge = judge;
  }

  async listen(): Promise<void> {
    await this.#socket.bind("inproc://zeromq.zap.01");
    void this.#run();
  }

  async #run(): Promise<void> {
    try {
      for await (const frames of this.#socket) this.#judged(frames as Buffer[]);
    } catch {
      // Closed.
    }
  }

  /** Frames: who asks, empty, version, request id, domain, address, identity, mechanism, credentials. */
  #judged(frames: readonly Buffer[]): void {
    const [asker, , version, request, , , , mechanism, key] = frames;
    if (asker === undefined || version === undefined || request === undefined || mechanism === undefined) return;
    const verdict = this.#judge({ mechanism: mechanism.toString("latin1"), key });
    const none = Buffer.alloc(0);
    const identity = verdict.admitted ? verdict.identity : undefined;
    const metadata = identity === undefined ? none : property("Identity", identity);
    const [status, text] = verdict.admitted ? ["200", "OK"] : [verdict.status, verdict.reason];
    const answer = [asker, none, version, request, status, text, none, metadata];
    if (identity === undefined) {
      this.#answer(answer);
      return;
    }
    const timer = setTimeout(() => {
      this.#delayed.delete(timer);
      this.#answer(answer);
    }, answerDelayMs);
    this.#delayed.add(timer);
  }

  #answer(answer: (Buffer | string)[]): void {
    this.#ready.push(answer);
    if (this.#ready.length === 1) void this.#send();
  }

  /** One at a time, as zeromq.js wants it. */
  async #send(): Promise<void> {
    for (let next = this.#ready[0]; next !== undefined; next = this.#ready[0]) {
      await this.#socket.send(next).catch(() => undefined);
      this.#ready.shift();
    }
  }

  close(): void {
    for (const timer of this.#delayed) clearTimeout(timer);
    this.#socket.close();
  }
}
