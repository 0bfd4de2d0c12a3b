import {
  assertSupported,
  BusError,
  type Context,
  checkCount,
  checkId,
  checkLease,
  checkName,
  checkRedrive,
  checkSchema,
  type DeadLetter,
  type Delivery,
  deadLetterOf,
  type Letter,
  type LoanSource,
  letterOf,
  type Mailbox,
  type MailboxOptions,
  OutgoingSchema,
  type Queues,
  type ReceiveOptions,
  type SendOptions,
  type Sent,
  type Subscription,
  type Worker,
} from "@quadrant/contract";
import { checkPostage } from "./postage.ts";
import { type Handler, type ProcessOptions, processLeased, receiveLeased } from "./receiving.ts";
import { Sender } from "./sender.ts";

/** How many letters `peek` and `deadLetters` show unless told. */
const defaultLimit = 100;

/** Opens a mailbox, creating it where it does not exist. */
export async function openMailbox<T>(
  context: Context,
  address: string,
  options: MailboxOptions<T> = {},
): Promise<Mailbox<T>> {
  context.assertIntake();
  checkName("address", address);
  checkLease("leaseMs", options.leaseMs);
  checkCount("maxAttempts", options.maxAttempts);
  checkCount("capacity", options.capacity);
  checkSchema(options.schema);
  const { driver } = context;
  assertSupported(driver, "mailbox");
  if (options.capacity !== undefined) assertSupported(driver, "mailbox.capacity");
  const { queues } = driver;
  if (queues === undefined)
    throw new BusError("unsupported", `the driver ${driver.name} has no mailboxes`, { driver: driver.name });
  const { leaseMs, maxAttempts, capacity } = options;
  const opened = await queues.open(address, { leaseMs, maxAttempts, capacity });
  return new QueueMailbox<T>(context, queues, address, opened.leaseMs, options.schema);
}

class QueueMailbox<T> implements Mailbox<T> {
  readonly address: string;
  readonly #context: Context;
  readonly #queues: Queues;
  readonly #source: LoanSource;
  readonly #schema: MailboxOptions<T>["schema"];
  readonly #outgoing: OutgoingSchema<T> | undefined;
  readonly #sender: Sender;

  constructor(context: Context, queues: Queues, address: string, leaseMs: number, schema: MailboxOptions<T>["schema"]) {
    this.address = address;
    this.#context = context;
    this.#queues = queues;
    this.#schema = schema;
    this.#outgoing = schema === undefined ? undefined : new OutgoingSchema(schema);
    this.#sender = new Sender(context, queues, address);
    this.#source = {
      what: `mailbox ${JSON.stringify(address)}`,
      leaseMs,
      fetch: (request) => queues.fetch(address, request),
      settle: (settlements) => queues.settle(address, settlements),
      local: queues.local?.(address),
    };
  }

  send(data: T, options?: SendOptions): Promise<Sent> {
    try {
      this.#context.assertOpen();
      const { driver } = this.#context;
      const id = options?.id;
      checkId("id", id);
      if (id !== undefined) assertSupported(driver, "mailbox.dedupe");
      const letter = this.#sender.letter(data, checkPostage(driver, options), id);
      const validated = this.#outgoing?.check(data);
      return validated === undefined ? this.#sender.send(letter) : validated.then(() => this.#sender.send(letter));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async sendMany(data: readonly T[], options: Omit<SendOptions, "id"> = {}): Promise<readonly Sent[]> {
    this.#context.assertOpen();
    if (!Array.isArray(data)) throw new BusError("invalid", "sendMany: give an array");
    if ((options as SendOptions).id !== undefined)
      throw new BusError("invalid", "id: letters of one sendMany get ids of their own; use send");
    const postage = checkPostage(this.#context.driver, options);
    const letters = Array.from(data, (each) => this.#sender.letter(each, postage, undefined));
    const outgoing = this.#outgoing;
    const validated = data.map((each) => outgoing?.check(each)).filter((each) => each !== undefined);
    if (validated.length > 0) await Promise.all(validated);
    return this.#sender.sendMany(letters);
  }

  async receive(options: ReceiveOptions = {}): Promise<Subscription<Delivery<T>>> {
    return receiveLeased(this.#context, this.#source, this.#receiveOptions(options));
  }

  async process(
    handler: Handler<T>,
    options: ReceiveOptions & Pick<ProcessOptions<T>, "concurrency" | "backoff"> = {},
  ): Promise<Worker> {
    const { concurrency, backoff } = options;
    return processLeased(this.#context, this.#source, handler, {
      ...this.#receiveOptions(options),
      concurrency,
      backoff,
    });
  }

  #receiveOptions(options: ReceiveOptions): ProcessOptions<T> {
    const { leaseMs, autoExtend, maxInFlight, signal } = options;
    return { leaseMs, autoExtend, maxInFlight, signal, schema: this.#schema };
  }

  async info(): Promise<{ waiting: number; held: number; delayed: number; dead: number }> {
    this.#context.assertOpen();
    const { waiting, held, delayed, dead } = await this.#queues.info(this.address);
    return { waiting, held, delayed, dead };
  }

  async peek(limit: number = defaultLimit): Promise<readonly Letter<T>[]> {
    this.#context.assertOpen();
    checkCount("limit", limit);
    const letters = await this.#queues.peek(this.address, limit);
    return letters.map((letter) => letterOf<T>(this.#context.bodies, letter));
  }

  async deadLetters(limit: number = defaultLimit): Promise<readonly DeadLetter<T>[]> {
    this.#context.assertOpen();
    checkCount("limit", limit);
    const records = await this.#queues.deadLetters(this.address, limit);
    return records.map((record) => deadLetterOf<T>(this.#context.bodies, record));
  }

  async redrive(
    options: { readonly ids?: readonly string[] | undefined; readonly limit?: number | undefined } = {},
  ): Promise<number> {
    this.#context.assertOpen();
    checkRedrive(options);
    return this.#queues.redrive(this.address, { ids: options.ids && [...options.ids], limit: options.limit });
  }

  async purge(): Promise<number> {
    this.#context.assertOpen();
    return this.#queues.purge(this.address);
  }

  async destroy(): Promise<void> {
    this.#context.assertOpen();
    await this.#queues.destroy(this.address);
  }
}
