import { type BusError, isBusError } from "@quadrant/contract";
import type { EngineSession } from "@quadrant/engine";
import { failed } from "../failure.ts";
import { type ByteReader, ByteWriter, type Value } from "./bytes.ts";
import { AnswerKind, AskKind, frameVersion } from "./frame.ts";
import { type Capture, type Outcome, type OwnerOperation, operations, unknown } from "./owner-operations.ts";
import { Withdrawal } from "./withdrawal.ts";

/** Unanswered requests of one client. */
const maxRequests = 200_000;
/** Answers that a client has not said to have. */
const maxUnheardBytes = 64 * 1024 * 1024;

interface Request {
  readonly id: number;
  readonly operation: OwnerOperation;
  readonly withdrawal: Withdrawal | undefined;
  /** Set with its answer. */
  capture: Capture | undefined;
  answer: readonly Value[] | undefined;
  status: number;
  /** In which it was sent last. */
  frame: number;
}

export interface OwnerHost {
  readonly epoch: number;
  send(session: OwnerSession, frame: Buffer, number: number): void;
  /** Writes what is gathered at the end of this turn. */
  wake(session: OwnerSession): void;
  end(session: OwnerSession, goodbye: boolean): void;
}

/**
 * One client of the owner: what it asked for and has not been answered, and the answers that it has not said to have. A
 * request that comes again, after a connection was lost, is answered again and done once.
 */
export class OwnerSession {
  readonly client: string;
  readonly number: number;
  readonly #host: OwnerHost;
  readonly #engine: EngineSession;
  readonly #requests = new Map<number, Request>();
  #connection = 0;
  #highest = 0;
  #isNew = true;
  /** Answered and not said to have arrived, in the order of their frames. */
  #unheard: Request[] = [];
  #unheardBytes = 0;
  #frame = 0;
  #out: ByteWriter | undefined;
  lastSeen: number = performance.now();
  ended = false;

  constructor(client: string, number: number, host: OwnerHost, engine: EngineSession) {
    this.client = client;
    this.number = number;
    this.#host = host;
    this.#engine = engine;
  }

  get size(): number {
    return this.#requests.size;
  }

  /** Throws where it is malformed. */
  frame(reader: ByteReader): void {
    this.lastSeen = performance.now();
    if (reader.u8() !== frameVersion) throw failed("unsupported", "a client of another version");
    const connection = reader.u32();
    const heard = reader.u32();
    // What an earlier connection left behind was asked again since.
    if (connection < this.#connection) return;
    this.#connection = connection;
    while (reader.left > 0 && !this.ended) this.#record(reader);
    this.#heard(heard);
    this.#isNew = false;
  }

  #record(reader: ByteReader): void {
    const kind = reader.u8();
    if (kind === AskKind.bye) {
      this.#host.end(this, true);
      return;
    }
    const id = reader.u32();
    if (kind === AskKind.request || kind === AskKind.again) {
      const code = reader.u8();
      this.#ask(id, code, reader, kind === AskKind.again);
    } else if (kind === AskKind.cancel) this.#requests.get(id)?.withdrawal?.abort();
    else if (kind === AskKind.undo) this.#undo(id);
    else throw failed("invalid", `a record of kind ${kind}`);
  }

  #ask(id: number, code: number, reader: ByteReader, again: boolean): void {
    const values = reader.values();
    const known = this.#requests.get(id);
    if (known !== undefined) {
      if (known.answer !== undefined) this.#send(known);
      return;
    }
    const before = id <= this.#highest;
    this.#highest = Math.max(this.#highest, id);
    // A copy that was late.
    if (before && !again) return;
    const operation = operations.get(code);
    const request: Request = {
      id,
      operation: operation ?? operations.values().next().value!,
      withdrawal: operation?.waits ? new Withdrawal() : undefined,
      capture: undefined,
      answer: undefined,
      status: 0,
      frame: 0,
    };
    this.#requests.set(id, request);
    if (operation === undefined)
      this.#fail(request, failed("unsupported", `the owner does not know operation ${code}: it is older`));
    else if (this.#requests.size > maxRequests)
      this.#fail(request, failed("overflow", `${maxRequests} requests of this client wait already`));
    else if (again && this.#isNew && operation.writes) this.#fail(request, unknown());
    else {
      const ticket = `${this.client}:${id}`;
      const asked = { ticket, again, signal: request.withdrawal?.signal };
      operation.run(this.#engine, values, asked).then(
        (outcome) => this.#done(request, outcome),
        (error: unknown) => this.#failed(request, error),
      );
    }
  }

  #undo(id: number): void {
    const request = this.#requests.get(id);
    if (request?.capture === undefined) return;
    const { capture } = request;
    request.capture = undefined;
    capture.undo();
  }

  #done(request: Request, { values, capture }: Outcome): void {
    if (this.ended || this.#requests.get(request.id) !== request) {
      capture?.undo();
      return;
    }
    request.capture = capture;
    request.answer = values;
    this.#send(request);
  }

  #failed(request: Request, error: unknown): void {
    if (this.ended || this.#requests.get(request.id) !== request) return;
    this.#fail(request, isBusError(error) ? error : failed("invalid", `the owner could not do this: ${String(error)}`));
  }

  #fail(request: Request, error: BusError): void {
    request.status = 1;
    request.answer = [error.code, error.message];
    this.#send(request);
  }

  /** Into the frame that leaves at the end of this turn. */
  #send(request: Request): void {
    const out = this.#writer();
    const before = out.length;
    out.u8(AnswerKind.response).u32(request.id).u8(request.status).values(request.answer!);
    if (request.frame === 0) this.#unheard.push(request);
    request.frame = this.#frame;
    this.#unheardBytes += out.length - before;
    if (this.#unheardBytes > maxUnheardBytes) this.#host.end(this, false);
  }

  #writer(): ByteWriter {
    if (this.#out === undefined) {
      this.#frame++;
      this.#out = new ByteWriter().u8(frameVersion).number(this.#host.epoch).u32(this.#frame);
      this.#host.wake(this);
    }
    return this.#out;
  }

  flush(): void {
    const out = this.#out;
    this.#out = undefined;
    if (out !== undefined && !this.ended) this.#host.send(this, out.done(), this.#frame);
  }

  ping(): void {
    this.#writer().u8(AnswerKind.ping);
  }

  askAgain(): void {
    this.#writer().u8(AnswerKind.askAgain);
  }

  /** The client has all up to this frame. */
  #heard(frame: number): void {
    if (this.#unheard.length === 0) return;
    const kept: Request[] = [];
    for (const request of this.#unheard) {
      if (request.frame > frame) {
        kept.push(request);
        continue;
      }
      this.#requests.delete(request.id);
      request.capture?.arrived?.();
    }
    this.#unheard = kept;
    if (kept.length === 0) this.#unheardBytes = 0;
  }

  /**
   * Nobody was there to get a frame: what waits is withdrawn, and what it and those after it say was taken goes back; the
   * client asks again when it is there. What was sent before it may have: it says so then, or asks for it.
   */
  suspend(refused: number): void {
    const kept: Request[] = [];
    for (const request of this.#unheard) {
      if (request.capture === undefined || request.frame < refused) kept.push(request);
      else {
        this.#requests.delete(request.id);
        request.capture.undo();
      }
    }
    this.#unheard = kept;
    for (const request of [...this.#requests.values()]) {
      // An out that waits for room goes on waiting: whether it was done is known here alone.
      if (request.answer !== undefined || request.withdrawal === undefined || request.operation.writes) continue;
      this.#requests.delete(request.id);
      request.withdrawal.abort();
    }
    this.askAgain();
  }

  /** `goodbye`: what it holds goes back at once; else its leases run out. What it was sent it may have. */
  end(goodbye: boolean): void {
    if (this.ended) return;
    this.ended = true;
    for (const request of this.#unheard) request.capture?.arrived?.();
    this.#unheard = [];
    for (const request of this.#requests.values()) request.withdrawal?.abort();
    this.#requests.clear();
    if (goodbye) this.#engine.close();
    else this.#engine.abandon();
  }
}
