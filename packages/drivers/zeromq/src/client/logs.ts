import type {
  AppendRequest,
  DeadRecord,
  DurableSpec,
  FetchRequest,
  Leased,
  LogInfo,
  LogLimits,
  LogPage,
  LogReadRequest,
  Logs,
  RedriveRequest,
  Settled,
  Settlement,
  StoredEntry,
} from "@quadrant/contract";
import { isBusError } from "@quadrant/contract";
import { Operation } from "../wire/operation.ts";
import { readDead, readEntry, readSettled, settlementRow, startValue } from "../wire/transfer.ts";
import { flatHeaders } from "../wire/values.ts";
import { fetchLetters } from "./queues.ts";
import type { Requests } from "./requests.ts";
import type { Restorer } from "./restorer.ts";

/** Logs and their durables over the hub. */
export class ClientLogs implements Logs {
  readonly #requests: Requests;
  readonly #restorer: Restorer;

  constructor(requests: Requests, restorer: Restorer) {
    this.#requests = requests;
    this.#restorer = restorer;
  }

  async open(name: string, limits: LogLimits): Promise<void> {
    const values = [name, limits.maxAgeMs ?? null, limits.maxBytes ?? null, limits.maxMessages ?? null];
    await this.#requests.request(Operation.logOpen, `open log ${name}`, "writes", values);
    this.#restorer.opened(`log ${name}`, Operation.logOpen, values);
  }

  async append(name: string, entry: AppendRequest): Promise<{ readonly seq: number; readonly duplicate: boolean }> {
    const { subject, headers, contentType, body, id, expectLast } = entry;
    const values = [name, subject, flatHeaders(headers), contentType, body, id ?? null, expectLast ?? null];
    const appended = await this.#requests.request(Operation.logAppend, `append to ${name}`, "writes", values);
    return { seq: appended.number(0), duplicate: appended.boolean(1) };
  }

  async read(name: string, { from, filter, max, follow, signal }: LogReadRequest): Promise<LogPage> {
    const values = [name, startValue(from), filter ?? null, max, follow];
    try {
      // Only what follows waits for another party; the rest has the connection's deadline.
      const wait = { signal, timeoutMs: follow ? undefined : this.#requests.timeoutMs };
      const page = await this.#requests.wait(Operation.logRead, `read log ${name}`, "reads", values, wait);
      return { entries: page.list(0).map(readEntry), next: page.number(1) };
    } catch (error) {
      // Nothing came before the end of the wait; where to go on is where it began.
      if (isBusError(error, "aborted") && typeof from === "object" && "seq" in from)
        return { entries: [], next: from.seq };
      throw error;
    }
  }

  async last(name: string, subject: string): Promise<StoredEntry | undefined> {
    const last = await this.#requests.request(Operation.logLast, `last of ${subject} in ${name}`, "reads", [
      name,
      subject,
    ]);
    return last.raw(0) === null ? undefined : readEntry(last.values(0));
  }

  async info(name: string): Promise<LogInfo> {
    const info = await this.#requests.request(Operation.logInfo, `look at log ${name}`, "reads", [name]);
    return { first: info.number(0), last: info.number(1), count: info.number(2), bytes: info.number(3) };
  }

  async destroy(name: string): Promise<void> {
    await this.#requests.request(Operation.logDestroy, `destroy log ${name}`, "writes", [name]);
    this.#restorer.destroyed(`log ${name}`);
  }

  async openDurable(name: string, spec: DurableSpec): Promise<{ readonly leaseMs: number }> {
    const { durable, from, filter, leaseMs, maxAttempts } = spec;
    const values = [name, durable, startValue(from), filter ?? null, leaseMs ?? null, maxAttempts ?? null];
    const opened = await this.#requests.request(
      Operation.durableOpen,
      `open durable ${durable} of ${name}`,
      "writes",
      values,
    );
    this.#restorer.opened(`durable ${name} ${durable}`, Operation.durableOpen, values);
    return { leaseMs: opened.number(0) };
  }

  fetch(name: string, durable: string, { max, leaseMs, signal }: FetchRequest): Promise<readonly Leased[]> {
    const values = [name, durable, max, leaseMs ?? null];
    const what = `receive from durable ${durable} of ${name}`;
    return fetchLetters(this.#requests.wait(Operation.durableFetch, what, "captures", values, { signal }));
  }

  async settle(name: string, durable: string, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    const values = [name, durable, settlements.map(settlementRow)];
    const settled = await this.#requests.request(
      Operation.durableSettle,
      `settle entries of ${name}`,
      "settles",
      values,
    );
    return readSettled(settled.values(0), settlements.length);
  }

  async deadLetters(name: string, durable: string, limit: number): Promise<readonly DeadRecord[]> {
    const values = [name, durable, limit];
    return (await this.#requests.request(Operation.durableDead, `dead letters of ${durable}`, "reads", values))
      .list(0)
      .map(readDead);
  }

  async redrive(name: string, durable: string, { ids, limit }: RedriveRequest): Promise<number> {
    const values = [name, durable, ids ?? null, limit ?? null];
    return (await this.#requests.request(Operation.durableRedrive, `redrive ${durable}`, "writes", values)).number(0);
  }
}
