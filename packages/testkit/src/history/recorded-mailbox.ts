import type {
  DeadLetter,
  Delivery,
  Letter,
  Mailbox,
  ReceiveOptions,
  SendOptions,
  Sent,
  Subscription,
  Worker,
} from "@quadrant/contract";
import type { Details } from "./event.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { RecordedDelivery } from "./recorded-hold.ts";
import { RecordedSubscription } from "./recorded-subscription.ts";
import type { Recorder } from "./recorder.ts";

export function deliveryDetails({ id, attempt, seq, subject, data }: Delivery<unknown>): Details {
  return { id, attempt, subject, data: fingerprintOf(data), ...(seq !== undefined && { seq }) };
}

/** Notes down each delivery, and its settlement as an operation. */
export function recordedDeliveries<T>(
  recorder: Recorder,
  on: string,
  n: number,
  deliveries: Subscription<Delivery<T>>,
): Subscription<Delivery<T>> {
  return new RecordedSubscription<Delivery<T>>(recorder, n, deliveries, {
    details: deliveryDetails,
    recorded: (delivery) => new RecordedDelivery(recorder, on, n, delivery),
  });
}

/** How long what is received is held: as long as its holder lives where that is not said to be otherwise. */
export function loanDetails(options: ReceiveOptions | undefined): Details {
  const { leaseMs, autoExtend } = options ?? {};
  return { ...(leaseMs !== undefined && { leaseMs }), ...(autoExtend === false && { autoExtend }) };
}

function postage(options: Omit<SendOptions, "id"> | undefined): Details {
  const { delayMs, ttlMs, key } = options ?? {};
  return {
    ...(delayMs !== undefined && { delayMs }),
    ...(ttlMs !== undefined && { ttlMs }),
    ...(key !== undefined && { key }),
  };
}

export class RecordedMailbox<T> implements Mailbox<T> {
  readonly address: string;
  readonly #recorder: Recorder;
  readonly #inner: Mailbox<T>;

  constructor(recorder: Recorder, inner: Mailbox<T>) {
    this.#recorder = recorder;
    this.#inner = inner;
    this.address = inner.address;
  }

  #run<R>(op: string, args: Details, operation: () => Promise<R>, detailsOf?: (result: R) => Details): Promise<R> {
    return this.#recorder.run(`mailbox.${op}`, this.address, args, operation, detailsOf);
  }

  send(data: T, options?: SendOptions): Promise<Sent> {
    const args = { data: fingerprintOf(data), ...postage(options), ...(options?.id && { id: options.id }) };
    return this.#run(
      "send",
      args,
      () => this.#inner.send(data, options),
      ({ id, duplicate }) => (duplicate ? { id, duplicate } : { id }),
    );
  }

  sendMany(data: readonly T[], options?: Omit<SendOptions, "id">): Promise<readonly Sent[]> {
    const bodies = Array.isArray(data) ? data.map(fingerprintOf) : [];
    return this.#run(
      "sendMany",
      { bodies, ...postage(options) },
      () => this.#inner.sendMany(data, options),
      (sent) => ({ ids: sent.map(({ id }) => id) }),
    );
  }

  receive(options?: ReceiveOptions): Promise<Subscription<Delivery<T>>> {
    return this.#recorder.running(
      "mailbox.receive",
      this.address,
      loanDetails(options),
      () => this.#inner.receive(options),
      (deliveries, n) => {
        this.#recorder.returned(n);
        return recordedDeliveries(this.#recorder, this.address, n, deliveries);
      },
    );
  }

  /** The worker acknowledges by itself: what is noted down is when a handler was given a letter, and how it ended. */
  process(
    handler: Parameters<Mailbox<T>["process"]>[0],
    options?: Parameters<Mailbox<T>["process"]>[1],
  ): Promise<Worker> {
    const recorder = this.#recorder;
    const address = this.address;
    const n = recorder.invoke("mailbox.process", address, loanDetails(options));
    const recorded = async (letter: Delivery<T>, signal: AbortSignal): Promise<void> => {
      recorder.got(n, deliveryDetails(letter));
      const { id, attempt } = letter;
      const args = { of: n, id, attempt };
      await recorder.run("mailbox.handle", address, args, async () => {
        await handler(new RecordedDelivery(recorder, address, n, letter), signal);
      });
    };
    return this.#inner.process(typeof handler === "function" ? recorded : handler, options).then(
      (worker) => {
        recorder.returned(n);
        return worker;
      },
      (error) => {
        recorder.failed(n, "mailbox.process", error);
        throw error;
      },
    );
  }

  info(): ReturnType<Mailbox<T>["info"]> {
    return this.#run(
      "info",
      {},
      () => this.#inner.info(),
      (info) => info,
    );
  }

  peek(limit?: number): Promise<readonly Letter<T>[]> {
    return this.#run(
      "peek",
      {},
      () => this.#inner.peek(limit),
      (letters) => ({ ids: letters.map(({ id }) => id) }),
    );
  }

  deadLetters(limit?: number): Promise<readonly DeadLetter<T>[]> {
    return this.#run(
      "deadLetters",
      {},
      () => this.#inner.deadLetters(limit),
      (letters) => ({ ids: letters.map(({ id }) => id), bodies: letters.map(({ data }) => fingerprintOf(data)) }),
    );
  }

  redrive(options?: Parameters<Mailbox<T>["redrive"]>[0]): Promise<number> {
    return this.#run(
      "redrive",
      { ids: options?.ids },
      () => this.#inner.redrive(options),
      (count) => ({ count }),
    );
  }

  purge(): Promise<number> {
    return this.#run(
      "purge",
      {},
      () => this.#inner.purge(),
      (count) => ({ count }),
    );
  }

  destroy(): Promise<void> {
    return this.#run("destroy", {}, () => this.#inner.destroy());
  }
}
