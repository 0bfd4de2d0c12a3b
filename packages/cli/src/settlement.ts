import type { Delivery } from "@quadrant/contract";
import { type Command, Option } from "commander";
import { consume, type Limits } from "./consumption.ts";
import { type FormatOptions, printMessage } from "./message-format.ts";
import type { Session } from "./session.ts";

export interface SettlementOptions {
  /** False with --no-ack. */
  readonly ack: boolean;
  readonly nak?: boolean;
  readonly reject?: boolean;
}

/** `--no-ack`, `--nak` and `--reject`, of what receives on loan. */
export function addSettlements(command: Command): Command {
  return command
    .option("--no-ack", "leave what comes unsettled: it goes back at the end (--count is 1 unless given)")
    .addOption(new Option("--nak", "give it back for another attempt (--count is 1 unless given)").conflicts("reject"))
    .option("--reject", "put it among the dead letters (--count is 1 unless given)");
}

function settle(delivery: Delivery<unknown>, options: SettlementOptions): Promise<void> {
  if (options.reject) return delivery.reject(new Error("rejected by hand"));
  if (options.nak) return delivery.nak();
  return options.ack ? delivery.ack() : Promise.resolve();
}

/** Settlements on their way: a few at once, so that none waits for the broker's answer to the one before. */
class Settlements {
  #pending: Promise<void>[] = [];

  async add(settlement: Promise<void>): Promise<void> {
    settlement.catch(() => undefined);
    this.#pending.push(settlement);
    if (this.#pending.length >= 16) await this.settled();
  }

  /** Resolves when the broker has all of them; rejects with the first that it refused. */
  async settled(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    for (const outcome of await Promise.allSettled(pending)) {
      if (outcome.status === "rejected") throw outcome.reason;
    }
  }
}

/** Prints what comes on loan, and settles each once it is printed. Returns how many there were. */
export async function settleEach(
  session: Session,
  options: SettlementOptions & Limits & FormatOptions,
  columns: (delivery: Delivery<unknown>) => readonly (string | number)[],
  open: (signal: AbortSignal, maxInFlight: number | undefined) => Promise<AsyncIterable<Delivery<unknown>>>,
): Promise<number> {
  const plain = options.ack && !options.nak && !options.reject;
  const count = options.count ?? (plain ? undefined : 1);
  // No more than asked for is fetched; what is left unsettled stays in flight, so that all of it has to fit.
  const maxInFlight = options.ack && count !== undefined ? Math.min(count, 16) : count;
  const settlements = new Settlements();
  try {
    return await consume(
      session,
      { count, timeout: options.timeout },
      (signal) => open(signal, maxInFlight),
      async (delivery) => {
        const { id, seq, subject, attempt } = delivery;
        const members = seq === undefined ? { id, attempt } : { seq, subject, id, attempt };
        await printMessage(session.output, options, delivery, members, columns(delivery));
        await settlements.add(settle(delivery, options));
      },
    );
  } finally {
    await settlements.settled();
  }
}
