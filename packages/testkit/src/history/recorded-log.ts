import type {
  DeadLetter,
  Delivery,
  DurableOptions,
  Log,
  LogEntry,
  LogOptions,
  ReadOptions,
  Start,
  Subscription,
} from "@quadrant/contract";
import type { Details } from "./event.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { loanDetails, recordedDeliveries } from "./recorded-mailbox.ts";
import type { Recorder } from "./recorder.ts";

function startText(from: Start | undefined): string {
  if (from === undefined) return "first";
  if (typeof from === "string") return from;
  return "seq" in from ? String(from.seq) : "time";
}

function entryDetails({ seq, subject, data, id }: LogEntry<unknown>): Details {
  return { seq, subject, data: fingerprintOf(data), ...(id !== undefined && { id }) };
}

/** What `log` is asked. */
export function logDetails(options: LogOptions<unknown> | undefined): Details {
  const { maxAgeMs, maxBytes, maxMessages } = options ?? {};
  return { limited: (maxAgeMs ?? maxBytes ?? maxMessages) !== undefined };
}

export class RecordedLog<T> implements Log<T> {
  readonly name: string;
  readonly #recorder: Recorder;
  readonly #inner: Log<T>;

  constructor(recorder: Recorder, inner: Log<T>) {
    this.#recorder = recorder;
    this.#inner = inner;
    this.name = inner.name;
  }

  #run<R>(op: string, args: Details, operation: () => Promise<R>, detailsOf?: (result: R) => Details): Promise<R> {
    return this.#recorder.run(`log.${op}`, this.name, args, operation, detailsOf);
  }

  append(subject: string, data: T, options?: Parameters<Log<T>["append"]>[2]): ReturnType<Log<T>["append"]> {
    const { id, expectLast } = options ?? {};
    const args = { subject: String(subject), data: fingerprintOf(data), id, expectLast };
    return this.#run(
      "append",
      args,
      () => this.#inner.append(subject, data, options),
      ({ seq, duplicate }) => (duplicate ? { seq, duplicate } : { seq }),
    );
  }

  /** An operation for each iteration; it returns when it comes to its end. */
  read(options?: ReadOptions): AsyncIterable<LogEntry<T>> {
    const entries = this.#inner.read(options);
    const { from, to, filter } = options ?? {};
    const args = { from: startText(from), ...(to && { to }), ...(filter !== undefined && { pattern: filter }) };
    return { [Symbol.asyncIterator]: () => this.#iterate(entries[Symbol.asyncIterator](), args) };
  }

  #iterate(inner: AsyncIterator<LogEntry<T>>, args: Details): AsyncIterator<LogEntry<T>> {
    const recorder = this.#recorder;
    const n = recorder.invoke("log.read", this.name, args);
    let ended = false;
    return {
      next: async () => {
        try {
          const next = await inner.next();
          if (!next.done) recorder.got(n, entryDetails(next.value));
          else if (!ended) recorder.returned(n);
          ended ||= next.done === true;
          return next;
        } catch (error) {
          if (!ended) recorder.failed(n, "log.read", error);
          ended = true;
          throw error;
        }
      },
      return: async () => {
        await inner.return?.();
        return { value: undefined, done: true };
      },
    };
  }

  subscribe(options: DurableOptions<T>): Promise<Subscription<Delivery<T>>> {
    const { durable, filter, from } = options ?? ({} as DurableOptions<T>);
    const pattern = filter === undefined ? {} : { pattern: filter };
    const args = { durable, from: startText(from ?? "new"), ...pattern, ...loanDetails(options) };
    return this.#recorder.running(
      "log.subscribe",
      this.name,
      args,
      () => this.#inner.subscribe(options),
      (deliveries, n) => {
        this.#recorder.returned(n);
        return recordedDeliveries(this.#recorder, this.name, n, deliveries);
      },
    );
  }

  deadLetters(durable: string, limit?: number): Promise<readonly DeadLetter<T>[]> {
    return this.#run(
      "deadLetters",
      { durable },
      () => this.#inner.deadLetters(durable, limit),
      (letters) => ({ ids: letters.map(({ id }) => id) }),
    );
  }

  redrive(durable: string, options?: Parameters<Log<T>["redrive"]>[1]): Promise<number> {
    return this.#run(
      "redrive",
      { durable, ids: options?.ids },
      () => this.#inner.redrive(durable, options),
      (count) => ({ count }),
    );
  }

  last(subject: string): Promise<LogEntry<T> | undefined> {
    return this.#run(
      "last",
      { subject },
      () => this.#inner.last(subject),
      (entry) => (entry === undefined ? {} : entryDetails(entry)),
    );
  }

  info(): ReturnType<Log<T>["info"]> {
    return this.#run(
      "info",
      {},
      () => this.#inner.info(),
      ({ count, last }) => ({ count, seq: last }),
    );
  }

  destroy(): Promise<void> {
    return this.#run("destroy", {}, () => this.#inner.destroy());
  }
}
