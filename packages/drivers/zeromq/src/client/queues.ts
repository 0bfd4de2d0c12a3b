import type {
  DeadRecord,
  FetchRequest,
  Leased,
  PeekedLetter,
  QueueInfo,
  QueueLetter,
  QueueOptions,
  Queues,
  RedriveRequest,
  SendOutcome,
  Settled,
  Settlement,
} from "@quadrant/contract";
import { isBusError } from "@quadrant/contract";
import { Operation } from "../wire/operation.ts";
import {
  letterRow,
  readDead,
  readLeased,
  readOutcome,
  readPeeked,
  readSettled,
  settlementRow,
} from "../wire/transfer.ts";
import type { Values } from "../wire/values.ts";
import type { Requests } from "./requests.ts";
import type { Restorer } from "./restorer.ts";

/** Letters of one request: more go in several. */
const requestBytes = 1024 * 1024;

/** Splits letters so that each part fits a packet, in order. */
function parts(letters: readonly QueueLetter[]): readonly (readonly QueueLetter[])[] {
  const all: QueueLetter[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const letter of letters) {
    if (bytes + letter.body.length > requestBytes) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)!.push(letter);
    bytes += letter.body.length + 128;
  }
  return all;
}

/** A fetch that was aborted has taken nothing. */
export async function fetchLetters(answer: Promise<Values>): Promise<readonly Leased[]> {
  try {
    return (await answer).list(0).map(readLeased);
  } catch (error) {
    if (isBusError(error, "aborted") || isBusError(error, "indefinite")) return [];
    throw error;
  }
}

/** Mailboxes over the hub. */
export class ClientQueues implements Queues {
  readonly #requests: Requests;
  readonly #restorer: Restorer;

  constructor(requests: Requests, restorer: Restorer) {
    this.#requests = requests;
    this.#restorer = restorer;
  }

  async open(address: string, options: QueueOptions): Promise<{ readonly leaseMs: number }> {
    const values = [address, options.leaseMs ?? null, options.maxAttempts ?? null, options.capacity ?? null];
    const opened = await this.#requests.request(Operation.queueOpen, `open mailbox ${address}`, "writes", values);
    this.#restorer.opened(`mailbox ${address}`, Operation.queueOpen, values);
    return { leaseMs: opened.number(0) };
  }

  async send(address: string, letters: readonly QueueLetter[]): Promise<readonly SendOutcome[]> {
    const sent = await Promise.all(
      parts(letters).map(async (part) => {
        const values = [address, part.map(letterRow)];
        const outcomes = await this.#requests.request(Operation.queueSend, `send to ${address}`, "writes", values);
        return outcomes.list(0).map(readOutcome);
      }),
    );
    return sent.flat();
  }

  fetch(address: string, { max, leaseMs, signal }: FetchRequest): Promise<readonly Leased[]> {
    const values = [address, max, leaseMs ?? null];
    return fetchLetters(
      this.#requests.wait(Operation.queueFetch, `receive from ${address}`, "captures", values, { signal }),
    );
  }

  async settle(address: string, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    const values = [address, settlements.map(settlementRow)];
    const settled = await this.#requests.request(
      Operation.queueSettle,
      `settle letters of ${address}`,
      "settles",
      values,
    );
    return readSettled(settled.values(0), settlements.length);
  }

  async info(address: string): Promise<QueueInfo> {
    const info = await this.#requests.request(Operation.queueInfo, `look at ${address}`, "reads", [address]);
    return { waiting: info.number(0), held: info.number(1), delayed: info.number(2), dead: info.number(3) };
  }

  async peek(address: string, limit: number): Promise<readonly PeekedLetter[]> {
    return (await this.#requests.request(Operation.queuePeek, `peek into ${address}`, "reads", [address, limit]))
      .list(0)
      .map(readPeeked);
  }

  async deadLetters(address: string, limit: number): Promise<readonly DeadRecord[]> {
    return (await this.#requests.request(Operation.queueDead, `dead letters of ${address}`, "reads", [address, limit]))
      .list(0)
      .map(readDead);
  }

  async redrive(address: string, { ids, limit }: RedriveRequest): Promise<number> {
    const values = [address, ids ?? null, limit ?? null];
    return (await this.#requests.request(Operation.queueRedrive, `redrive ${address}`, "writes", values)).number(0);
  }

  async purge(address: string): Promise<number> {
    return (await this.#requests.request(Operation.queuePurge, `purge ${address}`, "writes", [address])).number(0);
  }

  async destroy(address: string): Promise<void> {
    await this.#requests.request(Operation.queueDestroy, `destroy mailbox ${address}`, "writes", [address]);
    this.#restorer.destroyed(`mailbox ${address}`);
  }
}
