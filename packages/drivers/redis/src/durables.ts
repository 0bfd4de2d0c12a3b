import type {
  DeadRecord,
  DurableSpec,
  FetchRequest,
  Leased,
  RedriveRequest,
  Settled,
  Settlement,
} from "@quadrant/contract";
import type { Fetching } from "./fetching.ts";
import type { LoanHome, Loans } from "./loans.ts";
import { logKey } from "./names.ts";
import type { Openings } from "./openings.ts";
import { unpackLetter } from "./pack/letters.ts";
import type { Requests } from "./requests.ts";
import type { Argument } from "./resp/command-writer.ts";
import { bytesOf, listOf, numberOf, type Reply, textOf } from "./resp/reply-reader.ts";
import * as scripts from "./scripts/durables.ts";
import type { Script } from "./scripts/script.ts";
import { SettlementBatch, tokenOf } from "./settlements.ts";
import { startValues } from "./starts.ts";

/** An entry as a durable has it: time, subject, and what was stored, each in a line of its own. */
function readEntry(log: string, number: string, bytes: Buffer): Omit<Leased, "token" | "attempt"> {
  const first = bytes.indexOf(10);
  const second = bytes.indexOf(10, first + 1);
  const { id, headers, contentType, body } = unpackLetter(bytes.subarray(second + 1));
  return {
    id: id === "" ? `${log}-${number}` : id,
    sentAt: Number(bytes.toString("latin1", 0, first)),
    seq: Number(number),
    subject: bytes.toString("utf8", first + 1, second),
    headers,
    contentType,
    body,
  };
}

/** Durable positions in logs, which lend their entries. */
export class Durables {
  readonly #requests: Requests;
  readonly #fetching: Fetching;
  readonly #loans: Loans;
  readonly #openings: Openings;
  readonly #reopenLog: (log: string) => Promise<unknown>;

  constructor(
    requests: Requests,
    fetching: Fetching,
    loans: Loans,
    openings: Openings,
    reopenLog: (log: string) => Promise<unknown>,
  ) {
    this.#requests = requests;
    this.#fetching = fetching;
    this.#loans = loans;
    this.#openings = openings;
    this.#reopenLog = reopenLog;
  }

  #key(log: string, durable: string): string {
    return `${logKey(log)}:d:${durable}`;
  }

  #run(script: Script, log: string, what: string, values: readonly Argument[], writes: boolean): Promise<Reply> {
    return this.#requests.run(script, logKey(log), values, { what, writes });
  }

  async open(log: string, spec: DurableSpec): Promise<{ readonly leaseMs: number }> {
    const leaseMs = await this.#open(log, spec);
    this.#openings.opened(this.#key(log, spec.durable), () => this.#open(log, spec));
    return { leaseMs };
  }

  async #open(log: string, { durable, from, filter, leaseMs, maxAttempts }: DurableSpec): Promise<number> {
    const [kind, value] = startValues(from ?? "new");
    const values = [kind, value, durable, filter ?? "", leaseMs ?? "", maxAttempts ?? ""];
    for (;;) {
      const reply = await this.#run(scripts.openDurable, log, `open durable ${durable} of ${log}`, values, true);
      if (reply !== -1) return numberOf(reply);
      await this.#reopenLog(log);
    }
  }

  /** The log, or the durable alone, was lost with the server; or there never was such a durable. */
  #reopen(log: string, durable: string, reply: number): Promise<unknown> {
    if (reply === -1) return this.#reopenLog(log);
    return this.#openings.again(this.#key(log, durable), () => this.#open(log, { durable }));
  }

  #home(log: string, durable: string): LoanHome {
    return {
      key: this.#key(log, durable),
      giveBack: async (tokens, kind) => {
        const { values } = new SettlementBatch(tokens.map((token) => ({ kind, token })));
        values.push(durable);
        await this.#run(scripts.settleEntries, log, `give back to ${log}`, values, true).catch(() => undefined);
      },
    };
  }

  async fetch(log: string, durable: string, { max, leaseMs, signal }: FetchRequest): Promise<readonly Leased[]> {
    const home = this.#home(log, durable);
    const terms = { what: `receive from durable ${durable} of ${log}`, writes: true, untimed: true };
    let nonce = "";
    const letters = (reply: Reply): Leased[] => this.#letters(log, listOf(reply), nonce);
    const fetched = await this.#fetching.fetch({
      key: home.key,
      signal,
      ask: () => {
        const values = [max, leaseMs ?? "", "1", durable];
        const asked = this.#requests.ask(scripts.fetchEntries, logKey(log), values, terms);
        nonce = `${asked.place}.${asked.serial}`;
        return asked;
      },
      read: (reply) => {
        const fetched = letters(reply);
        this.#loans.add(home, nonce, fetched, leaseMs ?? 60_000);
        return fetched;
      },
      giveBack: async (reply) => {
        const tokens = letters(reply).map((letter) => letter.token);
        if (tokens.length > 0) await home.giveBack(tokens, "release");
      },
      reopen: (reply) => this.#reopen(log, durable, reply),
      pass: () => this.pass(home.key),
    });
    return fetched ?? [];
  }

  /** Nobody here waits under the key any more: the next is told. */
  pass(key: string): void {
    const at = key.indexOf("}:d:");
    if (at === -1) return;
    const terms = { what: "pass on", writes: false };
    this.#requests.run(scripts.passEntries, key.slice(0, at + 1), [key.slice(at + 4)], terms).catch(() => undefined);
  }

  #letters(log: string, reply: readonly Reply[], nonce: string): Leased[] {
    const letters: Leased[] = [];
    if (reply[0] !== 1) return letters;
    for (let at = 1; at < reply.length; at += 3) {
      const number = textOf(reply[at]);
      const entry = readEntry(log, number, bytesOf(reply[at + 2]));
      letters.push({ ...entry, token: tokenOf(number, nonce), attempt: numberOf(reply[at + 1]) });
    }
    return letters;
  }

  async settle(log: string, durable: string, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    const batch = new SettlementBatch(settlements);
    const values = [...batch.values, durable];
    const reply = await this.#run(scripts.settleEntries, log, `settle entries of ${log}`, values, true);
    return batch.settled(listOf(reply), `the durable ${durable} of the log ${log}`, this.#loans);
  }

  async deadLetters(log: string, durable: string, limit: number): Promise<readonly DeadRecord[]> {
    const what = `dead letters of durable ${durable} of ${log}`;
    const reply = listOf(await this.#run(scripts.listDeadEntries, log, what, [limit, durable], false));
    const dead: DeadRecord[] = [];
    for (let at = 0; at < reply.length; at += 6) {
      dead.push({
        ...readEntry(log, textOf(reply[at]), bytesOf(reply[at + 5])),
        attempt: numberOf(reply[at + 1]),
        diedAt: numberOf(reply[at + 2]),
        failure: { code: textOf(reply[at + 3]), message: textOf(reply[at + 4]) },
      });
    }
    return dead;
  }

  async redrive(log: string, durable: string, { ids, limit }: RedriveRequest): Promise<number> {
    if (ids?.length === 0) return 0;
    const values = [durable, log, limit ?? Number.MAX_SAFE_INTEGER, ...(ids ?? [])];
    return numberOf(await this.#run(scripts.redriveEntries, log, `redrive durable ${durable} of ${log}`, values, true));
  }
}
