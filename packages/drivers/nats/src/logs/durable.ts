import {
  BusError,
  type DurableSpec,
  type FetchRequest,
  type Leased,
  type Settled,
  type Settlement,
} from "@quadrant/contract";
import { asBusError } from "../failure.ts";
import type { JetStream } from "../jetstream.ts";
import { nanoseconds, serverLeaseMs } from "../loans.ts";
import { Box } from "../queues/box.ts";
import { DelayClock } from "../queues/later.ts";
import { mailStream, mailSubject } from "../queues/layout.ts";
import type { Lending } from "../queues/lending.ts";
import type { Post } from "../queues/post.ts";
import { digest, tokenOf } from "../token.ts";
import { logPrefix, logStream } from "./log-stream.ts";

export interface DurableTerms {
  readonly leaseMs: number;
  readonly maxAttempts: number;
  readonly filter: string | undefined;
}

export function durableConfig(
  log: string,
  spec: DurableSpec,
  terms: DurableTerms,
  replicas: number,
): Readonly<Record<string, unknown>> {
  const { from = "new" } = spec;
  const start =
    from === "first"
      ? { deliver_policy: "all" }
      : from === "new"
        ? { deliver_policy: "new" }
        : "seq" in from
          ? { deliver_policy: "by_start_sequence", opt_start_seq: Math.max(1, from.seq) }
          : { deliver_policy: "by_start_time", opt_start_time: from.time.toISOString() };
  return {
    ...start,
    durable_name: tokenOf(spec.durable),
    description: JSON.stringify(terms),
    ack_policy: "explicit",
    ack_wait: nanoseconds(serverLeaseMs(terms.leaseMs)),
    filter_subject: `${logPrefix(log)}${terms.filter ?? ">"}`,
    max_deliver: -1,
    max_ack_pending: -1,
    num_replicas: replicas,
  };
}

/** The mailbox that a durable's dead entries are buried in, and redriven from. */
export const companionToken = (log: string, durable: string): string => `log==${digest(`${log}\n${durable}`)}`;

/** One durable as this connection knows it: the entries of its log, and those that were redriven, which come first. */
export class Durable {
  readonly entries: Box;
  readonly redriven: Box;
  readonly #jetstream: JetStream;
  readonly #lending: Lending;
  readonly #clock: DelayClock;
  readonly #subscription: { close(): void };
  /** Whether there may be any that were redriven. */
  #mayBeRedriven = true;
  #wake: (() => void) | undefined;

  constructor(jetstream: JetStream, lending: Lending, post: Post, log: string, durable: string, terms: DurableTerms) {
    this.#jetstream = jetstream;
    this.#lending = lending;
    const token = companionToken(log, durable);
    const box = { address: `${log}/${durable}`, ...terms, capacity: undefined };
    const strayed = (each: Box, message: Parameters<Lending["giveBackStrayed"]>[1]): Promise<void> =>
      lending.giveBackStrayed(each, message).catch(() => undefined);
    this.redriven = new Box(jetstream, token, box, strayed);
    this.entries = new Box(jetstream, token, box, strayed, {
      stream: logStream(log),
      consumer: tokenOf(durable),
      prefix: logPrefix(log),
      config: durableConfig(log, { durable }, terms, jetstream.replicas),
    });
    this.#clock = new DelayClock(jetstream, this.redriven, post);
    this.#subscription = jetstream.connection.subscribe(`${mailSubject(token)}.>`, undefined, () => this.notice());
    void this.#clock.look();
  }

  /** Something may have been redriven. */
  notice(): void {
    this.#mayBeRedriven = true;
    this.#wake?.();
  }

  async fetch(request: FetchRequest): Promise<readonly Leased[]> {
    const { signal } = request;
    for (;;) {
      if (signal?.aborted) return [];
      if (this.#mayBeRedriven) {
        const leased = await this.#fetchRedriven(request);
        if (leased.length > 0) return leased;
      }
      const interrupted = new AbortController();
      this.#wake = () => interrupted.abort();
      // Those that are on loan may come back without a word.
      const look = this.#mayBeRedriven ? setTimeout(() => interrupted.abort(), 250) : undefined;
      const either = signal === undefined ? interrupted.signal : AbortSignal.any([signal, interrupted.signal]);
      try {
        const leased = await this.#lending.fetchExisting(this.entries, { ...request, signal: either });
        if (leased.length > 0) return leased;
      } finally {
        clearTimeout(look);
        this.#wake = undefined;
      }
    }
  }

  /** Those that are there now. */
  async #fetchRedriven(request: FetchRequest): Promise<readonly Leased[]> {
    this.#mayBeRedriven = false;
    try {
      const counts = await this.#jetstream.subjects(this.redriven.what, mailStream, this.redriven.filter);
      if (counts.size === 0) return [];
      this.#mayBeRedriven = true;
      const soon = AbortSignal.timeout(50);
      const signal = request.signal === undefined ? soon : AbortSignal.any([request.signal, soon]);
      return await this.#lending.fetch(this.redriven, { ...request, signal });
    } catch (error) {
      this.#mayBeRedriven = true;
      throw error instanceof BusError ? error : asBusError(error, this.redriven.what);
    }
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    return await Promise.all(
      settlements.map(async (settlement) => {
        const box = this.redriven.loans.has(settlement.token) ? this.redriven : this.entries;
        return (await this.#lending.settle(box, [settlement]))[0];
      }),
    );
  }

  close(): void {
    this.#clock.stop();
    this.#subscription.close();
    this.#lending.giveUp(this.entries);
    this.#lending.giveUp(this.redriven);
  }
}
