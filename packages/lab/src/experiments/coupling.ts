/** The five models as one sees them from outside: something is put under a name, and taken under a name. */
import { type Bus, BusError } from "@quadrant/bus";
import type { Model } from "./experiment.ts";

type Code = BusError["code"];

export function isFailure(error: unknown, ...codes: readonly Code[]): error is BusError {
  return error instanceof BusError && (codes.length === 0 || codes.includes(error.code));
}

/** What travels: its number tells it from all others of its sender. */
export interface Item {
  readonly n: number;
  readonly by: string;
  readonly sentMs: number;
  readonly pad?: string | undefined;
}

export interface Inlet {
  put(item: Item): Promise<void>;
}

/** Calls back for each item. What the callback returns is awaited before the item is settled, where the model settles. */
export interface Outlet {
  close(): Promise<void>;
}
export type Take = (item: Item) => Promise<void> | void;

/** Thrown by what takes an item: it is given back, where the model can give back. */
export class Refusal extends Error {}

export interface TakeTerms {
  /** Items under way at once. */
  readonly inFlight: number;
  /** How long one that crashed holds what it took. */
  readonly leaseMs: number;
  /** Under which several takers of an event-based model share the items; undefined: each gets all. */
  readonly group?: string | undefined;
  /** Name of the durable where the model is a log. */
  readonly durable: string;
}

interface Receiver {
  take(item: Item): Promise<void>;
}

export async function inletOf(model: Model, bus: Bus, name: string): Promise<Inlet> {
  switch (model) {
    case "direct": {
      const callee = bus.client<Receiver>(name, { timeoutMs: callMs });
      return { put: async (item) => void (await callee.take(item)) };
    }
    case "mailbox": {
      const box = await bus.mailbox<Item>(name, { leaseMs: boxLeaseMs });
      return { put: async (item) => void (await box.send(item)) };
    }
    case "publish-subscribe":
      return { put: (item) => bus.publish(name, item) };
    case "log": {
      const log = await bus.log<Item>(logName(name));
      return { put: async (item) => void (await log.append("items", item)) };
    }
    case "tuple-space": {
      const space = await bus.space(logName(name));
      return { put: async ({ n, by, sentMs, pad }) => void (await space.out([name, n, by, sentMs, pad ?? ""])) };
    }
  }
}

/** What a caller waits for an answer. */
const callMs = 1_500;
const boxLeaseMs = 30_000;

/** Logs and spaces have names of one token. */
function logName(name: string): string {
  return name.replaceAll(".", "-");
}

/** Resolves once what is put from now on is taken. */
export async function outletOf(model: Model, bus: Bus, name: string, terms: TakeTerms, take: Take): Promise<Outlet> {
  switch (model) {
    case "direct": {
      const server = await bus.serve<Receiver>(
        name,
        { take: async (item) => take(item) },
        { concurrency: terms.inFlight },
      );
      return { close: async () => server[Symbol.asyncDispose]() };
    }
    case "mailbox": {
      const box = await bus.mailbox<Item>(name, { leaseMs: boxLeaseMs });
      const letters = await box.receive({ maxInFlight: terms.inFlight, leaseMs: terms.leaseMs });
      return settling(letters, terms.inFlight, take);
    }
    case "publish-subscribe": {
      const messages = await bus.subscribe<Item>(name, { group: terms.group, buffer: 65_536 });
      const reading = (async () => {
        for await (const { data } of messages) await take(data);
      })();
      return closing(messages, reading);
    }
    case "log": {
      const log = await bus.log<Item>(logName(name));
      const { durable, leaseMs, inFlight } = terms;
      const entries = await log.subscribe({ durable, from: "first", leaseMs, maxInFlight: inFlight });
      return settling(entries, inFlight, take);
    }
    case "tuple-space":
      return claiming(bus, name, terms, take);
  }
}

/** False where it was refused. */
async function accepted(take: () => Promise<void> | void): Promise<boolean> {
  try {
    await take();
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

interface Settled {
  readonly data: Item;
  ack(): Promise<void>;
  nak(): Promise<void>;
}

function closing(subscription: AsyncDisposable, reading: Promise<unknown>): Outlet {
  reading.catch(fail);
  return {
    close: async () => {
      await subscription[Symbol.asyncDispose]();
      await reading;
    },
  };
}

/** As many at a time as may be under way; a settlement that comes too late is none. */
function settling(letters: AsyncIterable<Settled> & AsyncDisposable, inFlight: number, take: Take): Outlet {
  const open = new Set<Promise<void>>();
  const reading = (async () => {
    for await (const letter of letters) {
      const handled = (async () => {
        const settle = await accepted(() => take(letter.data));
        await (settle ? letter.ack() : letter.nak()).catch(late);
      })();
      open.add(handled);
      handled.finally(() => open.delete(handled)).catch(fail);
      if (open.size >= inFlight) await Promise.race(open);
    }
    await Promise.all(open);
  })();
  return closing(letters, reading);
}

async function claiming(bus: Bus, name: string, { inFlight, leaseMs }: TakeTerms, take: Take): Promise<Outlet> {
  const space = await bus.space(logName(name));
  const ending = new AbortController();
  const { signal } = ending;
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const claim = await space.claim([name, Number, String, Number, String], { leaseMs, signal });
        const [, n, by, sentMs, pad] = claim.tuple;
        const settle = await accepted(() => take({ n, by, sentMs, pad }));
        await (settle ? claim.ack() : claim.nak());
      } catch (error) {
        if (signal.aborted) return;
        // The broker was away, or the claim was lost meanwhile.
        if (!isFailure(error, "stale", "unavailable", "indefinite")) throw error;
      }
    }
  };
  const loops = Promise.all(Array.from({ length: inFlight }, loop));
  loops.catch(fail);
  return {
    close: async () => {
      ending.abort();
      await loops;
    },
  };
}

function late(error: unknown): void {
  if (!isFailure(error, "stale", "closed", "indefinite", "unavailable")) throw error;
}

/** A receiver that cannot go on must not look like one that gets nothing. */
function fail(error: unknown): void {
  if (isFailure(error, "closed")) return;
  setImmediate(() => {
    throw error;
  });
}
