import {
  assertSupported,
  BusError,
  type Context,
  checkCount,
  checkDuration,
  checkHeaders,
  checkId,
  checkLease,
  checkName,
  checkPattern,
  checkRedrive,
  checkSchema,
  checkSignal,
  checkToken,
  type DeadLetter,
  type Delivery,
  type DurableOptions,
  deadLetterOf,
  type Log,
  type LogEntry,
  type LogOptions,
  type Logs,
  OutgoingSchema,
  type ReadOptions,
  type ReceiveLeased,
  type Start,
  type Subscription,
  unlessAborted,
  withTrace,
} from "@quadrant/contract";
import { entryOf, LogReader, type Reading } from "./log-reader.ts";

/** How many dead letters are shown unless told. */
const defaultLimit = 100;

type AppendOptions = Parameters<Log<unknown>["append"]>[2];
type Appended = Awaited<ReturnType<Log<unknown>["append"]>>;

/** Opens a log, creating it where it does not exist. Its durables are received as letters are: by `receive`. */
export async function openLog<T>(
  context: Context,
  receive: ReceiveLeased,
  name: string,
  options: LogOptions<T> = {},
): Promise<Log<T>> {
  context.assertIntake();
  checkToken("log", name);
  const { maxAgeMs, maxBytes, maxMessages, schema } = options;
  checkDuration("maxAgeMs", maxAgeMs, 1);
  checkCount("maxBytes", maxBytes);
  checkCount("maxMessages", maxMessages);
  checkSchema(schema);
  const { driver } = context;
  assertSupported(driver, "log");
  if (maxAgeMs !== undefined || maxBytes !== undefined || maxMessages !== undefined)
    assertSupported(driver, "log.retention");
  const { logs } = driver;
  if (logs === undefined)
    throw new BusError("unsupported", `the driver ${driver.name} has no logs`, { driver: driver.name });
  await logs.open(name, { maxAgeMs, maxBytes, maxMessages });
  return new StoredLog<T>({ context, logs, name, schema }, receive);
}

function checkStart(from: Start | undefined): void {
  if (from === undefined || from === "first" || from === "new") return;
  if (typeof from === "object" && from !== null) {
    if ("seq" in from) {
      checkCount("from.seq", from.seq ?? 0);
      return;
    }
    if ("time" in from && from.time instanceof Date && !Number.isNaN(from.time.getTime())) return;
  }
  throw new BusError("invalid", 'from: "first", "new", { seq } or { time } with a valid Date');
}

function checkDurable(options: DurableOptions<unknown>): void {
  if (typeof options !== "object" || options === null)
    throw new BusError("invalid", "subscribe to a log: give at least { durable }");
  checkToken("durable", options.durable);
  checkStart(options.from);
  if (options.filter !== undefined) checkPattern("filter", options.filter);
  checkLease("leaseMs", options.leaseMs);
  checkCount("maxAttempts", options.maxAttempts);
}

class StoredLog<T> implements Log<T> {
  readonly name: string;
  readonly #reading: Reading<T>;
  readonly #context: Context;
  readonly #logs: Logs;
  readonly #receive: ReceiveLeased;
  readonly #outgoing: OutgoingSchema<T> | undefined;

  constructor(reading: Reading<T>, receive: ReceiveLeased) {
    this.name = reading.name;
    this.#reading = reading;
    this.#context = reading.context;
    this.#logs = reading.logs;
    this.#receive = receive;
    this.#outgoing = reading.schema === undefined ? undefined : new OutgoingSchema(reading.schema);
  }

  async append(subject: string, data: T, options: AppendOptions = {}): Promise<Appended> {
    this.#context.assertOpen();
    checkName("subject", subject);
    const { id, expectLast } = options;
    checkId("id", id);
    checkCount("expectLast", expectLast, 0);
    const { bodies, driver } = this.#context;
    if (id !== undefined) assertSupported(driver, "log.dedupe");
    if (expectLast !== undefined) assertSupported(driver, "log.expectLast");
    const headers = withTrace(checkHeaders(options.headers));
    const body = bodies.encode(data);
    const validated = this.#outgoing?.check(data);
    if (validated !== undefined) await validated;
    const entry = { subject, headers, contentType: bodies.codec.contentType, body, id, expectLast };
    const { seq, duplicate } = await this.#logs.append(this.name, entry);
    return { seq, duplicate };
  }

  /**
   * Begins when it is iterated, once. An entry that cannot be decoded, or fails the schema, throws "codec" or "invalid"
   * and names its sequence. Aborting its signal ends a read that follows; one to the end throws "aborted".
   */
  read(options: ReadOptions = {}): AsyncIterable<LogEntry<T>> {
    this.#context.assertIntake();
    checkStart(options.from);
    if (options.filter !== undefined) checkPattern("filter", options.filter);
    if (options.to !== undefined && options.to !== "end")
      throw new BusError("invalid", `to: ${JSON.stringify(options.to)}; there is "end", or nothing to follow`);
    checkSignal(options.signal, `reading log ${JSON.stringify(this.name)}`);
    return new LogReader(this.#reading, options).feed;
  }

  async subscribe(options: DurableOptions<T>): Promise<Subscription<Delivery<T>>> {
    this.#context.assertIntake();
    checkDurable(options);
    assertSupported(this.#context.driver, "log.durables");
    const { durable, from, filter, leaseMs, maxAttempts, autoExtend, maxInFlight, invalid, signal } = options;
    const what = `durable ${JSON.stringify(durable)} of log ${JSON.stringify(this.name)}`;
    checkSignal(signal, `receiving from ${what}`);
    const { name } = this;
    const logs = this.#logs;
    const opened = await unlessAborted(
      signal,
      `receiving from ${what}`,
      logs.openDurable(name, { durable, from, filter, leaseMs, maxAttempts }),
      () => undefined,
    );
    const source = {
      what,
      leaseMs: opened.leaseMs,
      fetch: (request: Parameters<Logs["fetch"]>[2]) => logs.fetch(name, durable, request),
      settle: (settlements: Parameters<Logs["settle"]>[2]) => logs.settle(name, durable, settlements),
    };
    const { schema } = this.#reading;
    return this.#receive<T>(this.#context, source, { autoExtend, maxInFlight, invalid, signal, schema });
  }

  async deadLetters(durable: string, limit: number = defaultLimit): Promise<readonly DeadLetter<T>[]> {
    this.#context.assertOpen();
    checkToken("durable", durable);
    checkCount("limit", limit);
    const records = await this.#logs.deadLetters(this.name, durable, limit);
    return records.map((record) => deadLetterOf<T>(this.#context.bodies, record));
  }

  async redrive(
    durable: string,
    options: { readonly ids?: readonly string[] | undefined; readonly limit?: number | undefined } = {},
  ): Promise<number> {
    this.#context.assertOpen();
    checkToken("durable", durable);
    checkRedrive(options);
    return this.#logs.redrive(this.name, durable, { ids: options.ids && [...options.ids], limit: options.limit });
  }

  async last(subject: string): Promise<LogEntry<T> | undefined> {
    this.#context.assertOpen();
    checkName("subject", subject);
    const stored = await this.#logs.last(this.name, subject);
    return stored === undefined ? undefined : entryOf(this.#reading, stored);
  }

  async info(): Promise<{ first: number; last: number; count: number; bytes: number }> {
    this.#context.assertOpen();
    const { first, last, count, bytes } = await this.#logs.info(this.name);
    return { first, last, count, bytes };
  }

  async destroy(): Promise<void> {
    this.#context.assertOpen();
    await this.#logs.destroy(this.name);
  }
}
