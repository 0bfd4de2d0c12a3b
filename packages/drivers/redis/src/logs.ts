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
import { Durables } from "./durables.ts";
import type { Fetching } from "./fetching.ts";
import type { Loans } from "./loans.ts";
import { logKey } from "./names.ts";
import type { Openings } from "./openings.ts";
import { packLetter, unpackLetter } from "./pack/letters.ts";
import type { Requests } from "./requests.ts";
import type { Argument } from "./resp/command-writer.ts";
import { bytesOf, listOf, numberOf, type Reply, textOf } from "./resp/reply-reader.ts";
import * as scripts from "./scripts/logs.ts";
import type { Script } from "./scripts/script.ts";
import { startValues } from "./starts.ts";

function entryOf(seq: number, time: number, subject: string, bytes: Buffer): StoredEntry {
  const { id, headers, contentType, body } = unpackLetter(bytes);
  const entry = { seq, time, subject, headers, contentType, body };
  return id === "" ? entry : { ...entry, id };
}

/** Logs. */
export class RedisLogs implements Logs {
  readonly durables: Durables;
  readonly #requests: Requests;
  readonly #fetching: Fetching;
  readonly #openings: Openings;

  constructor(requests: Requests, fetching: Fetching, loans: Loans, openings: Openings) {
    this.#requests = requests;
    this.#fetching = fetching;
    this.#openings = openings;
    this.durables = new Durables(requests, fetching, loans, openings, (log) => this.#reopen(log));
  }

  async open(name: string, limits: LogLimits): Promise<void> {
    await this.#open(name, limits, true);
    this.#openings.opened(logKey(name), () => this.#open(name, limits, false));
  }

  async #open(name: string, { maxAgeMs, maxBytes, maxMessages }: LogLimits, anew: boolean): Promise<void> {
    const registry = await this.#openings.register("log", name);
    const values = [registry, name, maxAgeMs ?? "", maxBytes ?? "", maxMessages ?? "", anew ? "1" : "0"];
    await this.#run(scripts.openLog, name, `open log ${name}`, values, true);
  }

  #reopen(name: string): Promise<unknown> {
    return this.#openings.again(logKey(name), () => this.#open(name, {}, false));
  }

  #run(script: Script, name: string, what: string, values: readonly Argument[], writes: boolean): Promise<Reply> {
    return this.#requests.run(script, logKey(name), values, { what, writes });
  }

  async append(name: string, entry: AppendRequest): Promise<{ readonly seq: number; readonly duplicate: boolean }> {
    const { subject, id, expectLast } = entry;
    const text = packLetter({ ...entry, id: id ?? "", sentAt: 0 });
    const values = [subject, text, id ?? "", expectLast ?? ""];
    for (;;) {
      const reply = await this.#run(scripts.appendEntry, name, `append to ${name}`, values, true);
      if (reply !== -1) {
        const [seq, duplicate] = listOf(reply);
        return { seq: numberOf(seq), duplicate: duplicate === 1 };
      }
      await this.#reopen(name);
    }
  }

  async read(name: string, { from, filter, max, follow, signal }: LogReadRequest): Promise<LogPage> {
    const what = `read the log ${name}`;
    const key = logKey(name);
    const client = follow && !signal?.aborted ? this.#requests.client : "";
    let [kind, value] = startValues(from);
    const page = await this.#fetching.fetch<LogPage>({
      key: `${key}:f`,
      signal,
      ask: () => {
        const values = [kind, value, filter ?? "", max, client];
        const asked = this.#requests.ask(scripts.readEntries, key, values, { what, writes: false, untimed: follow });
        return { ...asked, answer: asked.answer.then((reply) => this.#went(reply, (next) => ([kind, value] = next))) };
      },
      read: (reply) => this.#page(listOf(reply)),
      giveBack: () => Promise.resolve(),
      reopen: () => this.#reopen(name),
      pass: () => undefined,
    });
    return page ?? { entries: [], next: kind === "seq" ? Number(value) : (await this.info(name)).last + 1 };
  }

  /** Where the next look begins. */
  #went(reply: Reply, move: (next: readonly [string, Argument]) => void): Reply {
    const [kind, second, third] = listOf(reply);
    if (kind === 0) move(["seq", numberOf(third)]);
    if (kind === 2) move(["seq", numberOf(second)]);
    return reply;
  }

  #page(reply: readonly Reply[]): LogPage {
    const entries: StoredEntry[] = [];
    for (let at = 2; at < reply.length; at += 4) {
      const subject = textOf(reply[at + 2]);
      entries.push(entryOf(numberOf(reply[at]), numberOf(reply[at + 1]), subject, bytesOf(reply[at + 3])));
    }
    return { entries, next: numberOf(reply[1]) };
  }

  async last(name: string, subject: string): Promise<StoredEntry | undefined> {
    const reply = listOf(await this.#run(scripts.lastEntry, name, `look at ${name}`, [subject], false));
    if (reply.length === 0) return undefined;
    return entryOf(numberOf(reply[0]), numberOf(reply[1]), subject, bytesOf(reply[2]));
  }

  async info(name: string): Promise<LogInfo> {
    const reply = listOf(await this.#run(scripts.lookAtLog, name, `look at ${name}`, [], false)).map(numberOf);
    return { first: reply[0]!, last: reply[1]!, count: reply[2]!, bytes: reply[3]! };
  }

  async destroy(name: string): Promise<void> {
    const values = [this.#openings.registry("log"), name];
    await this.#run(scripts.destroyLog, name, `destroy log ${name}`, values, true);
    await this.#openings.deregister("log", name);
    this.#openings.destroyed(logKey(name));
  }

  openDurable(name: string, spec: DurableSpec): Promise<{ readonly leaseMs: number }> {
    return this.durables.open(name, spec);
  }

  fetch(name: string, durable: string, request: FetchRequest): Promise<readonly Leased[]> {
    return this.durables.fetch(name, durable, request);
  }

  settle(name: string, durable: string, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    return this.durables.settle(name, durable, settlements);
  }

  deadLetters(name: string, durable: string, limit: number): Promise<readonly DeadRecord[]> {
    return this.durables.deadLetters(name, durable, limit);
  }

  redrive(name: string, durable: string, request: RedriveRequest): Promise<number> {
    return this.durables.redrive(name, durable, request);
  }
}
