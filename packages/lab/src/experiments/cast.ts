/** The parts that most experiments are played by, and what is made of what they remember. */
import { median } from "simple-statistics";
import type { Model, Part, Site } from "./experiment.ts";
import type { Tally } from "./roles/load-receiver.ts";
import type { Flood, Offer, Offered } from "./roles/load-sender.ts";
import type { ReceiverInput, Taken } from "./roles/receiver.ts";
import type { Outcomes, SenderInput, Sending } from "./roles/sender.ts";

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

/** How long what should come may take before it counts as lost: longer than the lease of a mailbox, after which it would come again. */
export const patienceMs = 40_000;

function roleAt(name: string): URL {
  return new URL(`./roles/${name}.${extension}`, import.meta.url);
}

export class Sender {
  readonly part: Part;

  constructor(part: Part) {
    this.part = part;
  }

  static async start(site: Site, model: Model, by = "sender"): Promise<Sender> {
    return new Sender(await site.start(roleAt("sender"), { model, by } satisfies SenderInput));
  }

  send(sending: Sending): Promise<Outcomes> {
    return this.part.ask<Outcomes>("send", sending);
  }
}

export class Receiver {
  readonly part: Part;

  constructor(part: Part) {
    this.part = part;
  }

  /** Resolves once it takes what is put from now on. */
  static async start(
    site: Site,
    input: Partial<ReceiverInput> & Pick<ReceiverInput, "model" | "name">,
  ): Promise<Receiver> {
    const terms = { inFlight: 1, leaseMs: 2_000, durable: "receiver", ...input };
    return new Receiver(await site.start(roleAt("receiver"), terms satisfies ReceiverInput));
  }

  /** All it has taken, in order. */
  taken(): Promise<readonly Taken[]> {
    return this.part.ask<Taken[]>("taken");
  }

  /** Waits until it has taken so many, at most for `withinMs`. */
  reach(count: number, withinMs: number = patienceMs): Promise<number> {
    return this.part.ask<number>("reach", { count, withinMs });
  }

  leave(): Promise<void> {
    return this.part.ask("leave");
  }
}

/** Sends as fast as it can, or at a rate. */
export class LoadSender {
  readonly part: Part;

  constructor(part: Part) {
    this.part = part;
  }

  static async start(site: Site, model: Model, by = "sender"): Promise<LoadSender> {
    return new LoadSender(await site.start(roleAt("load-sender"), { model, by } satisfies SenderInput));
  }

  flood(flood: Flood): Promise<Offered> {
    return this.part.ask<Offered>("flood", flood);
  }

  offer(offer: Offer): Promise<Offered> {
    return this.part.ask<Offered>("offer", offer);
  }
}

/** Counts, and measures how long each item was on its way. */
export class LoadReceiver {
  readonly part: Part;

  constructor(part: Part) {
    this.part = part;
  }

  static async start(
    site: Site,
    input: Partial<ReceiverInput> & Pick<ReceiverInput, "model" | "name">,
  ): Promise<LoadReceiver> {
    const terms = { inFlight: 64, leaseMs: 30_000, durable: "receiver", ...input };
    return new LoadReceiver(await site.start(roleAt("load-receiver"), terms satisfies ReceiverInput));
  }

  /** Waits until so many have come, or none more does. */
  reach(count: number, quietMs = 2_000): Promise<void> {
    return this.part.ask("reach", { count, quietMs });
  }

  reset(): Promise<void> {
    return this.part.ask("reset");
  }

  tally(): Promise<Tally> {
    return this.part.ask<Tally>("tally");
  }
}

export function joined(...all: readonly Outcomes[]): Outcomes {
  return {
    accepted: all.flatMap(({ accepted }) => accepted),
    refused: all.flatMap(({ refused }) => refused),
    unknown: all.flatMap(({ unknown }) => unknown),
  };
}

/** Where the accepted went: each is counted once. */
export interface Fate {
  /** Accepted, and taken at least once. */
  readonly arrived: number;
  /** Accepted, and never taken. */
  readonly lost: number;
  /** Taken more often than once. */
  readonly repeated: number;
  /** Taken, though the sender was told that it did not happen. */
  readonly invented: number;
  /** Half of those that arrived had come within this time; undefined where none has. */
  readonly delayMs: number | undefined;
}

export function fateOf({ accepted, unknown }: Outcomes, taken: readonly Taken[]): Fate {
  const times = new Map<number, number>();
  const first = new Map<number, Taken>();
  for (const item of taken) {
    times.set(item.n, (times.get(item.n) ?? 0) + 1);
    if (!first.has(item.n)) first.set(item.n, item);
  }
  const known = new Set([...accepted, ...unknown]);
  const arrived = accepted.filter((n) => times.has(n));
  const delays = arrived.map((n) => first.get(n)!.atMs - first.get(n)!.sentMs);
  return {
    arrived: arrived.length,
    lost: accepted.length - arrived.length,
    repeated: [...times.values()].filter((count) => count > 1).length,
    invented: [...times.keys()].filter((n) => !known.has(n)).length,
    delayMs: delays.length === 0 ? undefined : median(delays),
  };
}
