import type { BusStatus } from "@quadrant/contract";

/** A reader that falls further behind loses the oldest: what it gets next is still in order. */
const maxUnread = 1_024;

function copy(status: BusStatus): BusStatus {
  const at = new Date(status.at);
  return status.detail === undefined
    ? { kind: status.kind, at }
    : { kind: status.kind, at, detail: { ...status.detail } };
}

class Reader implements AsyncIterator<BusStatus, undefined> {
  readonly #leave: (reader: Reader) => void;
  #unread: BusStatus[] = [];
  #waiting: ((result: IteratorResult<BusStatus, undefined>) => void)[] = [];
  #ended = false;

  constructor(leave: (reader: Reader) => void) {
    this.#leave = leave;
  }

  push(status: BusStatus): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting({ value: copy(status), done: false });
    else {
      if (this.#unread.length === maxUnread) this.#unread.shift();
      this.#unread.push(copy(status));
    }
  }

  /** What is unread is still handed over. */
  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<BusStatus, undefined>> {
    const value = this.#unread.shift();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<BusStatus, undefined>> {
    this.#leave(this);
    this.#unread = [];
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }
}

/** Where a connection's transitions are posted, and read by any number of readers. */
export class StatusBoard {
  readonly #readers = new Set<Reader>();
  /** The state a reader begins with. */
  #state: BusStatus = { kind: "connected", at: new Date() };

  /** Posts a transition. One that repeats the state is none; after "closed" there are none. */
  post(status: BusStatus): void {
    const before = this.#state.kind;
    if (before === "closed") return;
    if ((status.kind === "connected" || status.kind === "disconnected") && status.kind === before) return;
    if (status.kind === "reconnected") this.#state = { ...status, kind: "connected" };
    else if (status.kind === "connected" || status.kind === "disconnected" || status.kind === "closed") {
      this.#state = status;
    }
    for (const reader of this.#readers) reader.push(status);
    if (status.kind !== "closed") return;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  /** The state now, then every transition, to the end of the connection. Each iteration is a reader of its own. */
  read(): AsyncIterable<BusStatus> {
    return {
      [Symbol.asyncIterator]: (): AsyncIterator<BusStatus, undefined> => {
        const reader = new Reader((left) => this.#readers.delete(left));
        reader.push(this.#state);
        if (this.#state.kind === "closed") reader.end();
        else this.#readers.add(reader);
        return reader;
      },
    };
  }
}
