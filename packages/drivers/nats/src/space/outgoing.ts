import type { NatsConnection } from "../connection.ts";
import { ByteWriter } from "./bytes.ts";
import { AskKind, cut, frameVersion } from "./frame.ts";
import { askSubject } from "./layout.ts";
import type { Pending } from "./pending.ts";

/** What a client has heard is told with what it asks next, or after this. */
const heardMs = 10;
const heardAt = 5;

/** What a client tells the owner: all of one turn in one frame. */
export class Outgoing {
  readonly #connection: NatsConnection;
  readonly #inbox: string;
  #out: ByteWriter | undefined;
  #epoch = 0;
  #generation = 1;
  /** The number of the next frame. */
  #frame = 1;
  #heard = 0;
  #told = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: NatsConnection, inbox: string) {
    this.#connection = connection;
    this.#inbox = inbox;
  }

  /** To whom from now on, over whatever connection; what was not yet sent to another owner is dropped. */
  begin(epoch: number): void {
    if (epoch === this.#epoch) this.flush();
    else this.#heard = this.#told = 0;
    this.#out = undefined;
    this.#epoch = epoch;
    this.#generation++;
  }

  request(pending: Pending, again: boolean): void {
    const { id, operation, values } = pending;
    pending.mayHaveCome ||= pending.frame !== 0 && !pending.unheard;
    pending.frame = this.#frame;
    pending.unheard = false;
    this.#writer()
      .u8(again ? AskKind.again : AskKind.request)
      .u32(id)
      .u8(operation)
      .values(values);
  }

  cancel(id: number): void {
    this.#writer().u8(AskKind.cancel).u32(id);
  }

  undo(id: number): void {
    this.#writer().u8(AskKind.undo).u32(id);
  }

  bye(): void {
    this.#writer().u8(AskKind.bye);
    this.flush();
  }

  get heard(): number {
    return this.#heard;
  }

  heardFrame(number: number): void {
    this.#heard = number;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#heard > this.#told) this.#writer();
    }, heardMs).unref();
  }

  #writer(): ByteWriter {
    if (this.#out === undefined) {
      this.#out = new ByteWriter().u8(frameVersion).u32(this.#generation).u32(0);
      queueMicrotask(() => process.nextTick(() => this.flush()));
    }
    return this.#out;
  }

  flush(): void {
    const out = this.#out;
    this.#out = undefined;
    if (out === undefined || !this.#connection.connected || this.#epoch === 0) return;
    out.patchU32(heardAt, this.#heard);
    this.#told = this.#heard;
    const subject = askSubject(this.#epoch);
    // Where nobody listens the server says so, to this very subject.
    const reply = `${this.#inbox}.${this.#frame++}`;
    for (const part of cut(out.done(), this.#connection.maxPayloadBytes))
      this.#connection.publish(subject, part, reply);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
