/** Many of something at once: what the work of one costs then. */
import type { Bus, Delivery, Mailbox, Subscription } from "@quadrant/bus";
import type { Errand } from "../caller.ts";
import { payloadBytes, payloadMaker } from "../payload.ts";
import { randomKeys } from "../random-keys.ts";

const make = payloadMaker(payloadBytes.small);
/** How many of something are set up at once. */
const together = 256;

export type CrowdKind = "subscribers" | "subjects" | "mailboxes" | "letters";

async function each(count: number, work: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += together) {
    await Promise.all(Array.from({ length: Math.min(together, count - from) }, (_, index) => work(from + index)));
  }
}

/** A crowd that cannot go on must not look like a slow one. */
function fail(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

/** One publish reaches all subscribers; a run is over when each has it, and counts as so many deliveries. */
async function subscribers(bus: Bus, count: number): Promise<Errand> {
  const all: Subscription<unknown>[] = [];
  let missing = 0;
  let arrived: (() => void) | undefined;
  await each(count, async () => {
    const messages = await bus.subscribe("crowd", { buffer: 1_024 });
    all.push(messages);
    void (async () => {
      for await (const _ of messages) if (--missing === 0) arrived?.();
    })().catch(fail);
  });
  return {
    operations: count,
    run: async (index) => {
      missing = count;
      const everybody = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      await bus.publish("crowd", make(index));
      await everybody;
    },
    close: () => bus.close(),
  };
}

/** As many subjects, each with a subscriber of its own: a run is one message to one of them, until it is there. */
async function subjects(bus: Bus, count: number): Promise<Errand> {
  const waiting = new Map<number, () => void>();
  await each(count, async (index) => {
    const messages = await bus.subscribe(`crowd.${index}`);
    void (async () => {
      for await (const _ of messages) {
        const arrived = waiting.get(index);
        waiting.delete(index);
        arrived?.();
      }
    })().catch(fail);
  });
  const random = randomKeys(count);
  return {
    operations: 1,
    run: async (index) => {
      let key = random();
      // One message at a time to each, so that it is known which has come.
      while (waiting.has(key)) key = (key + 1) % count;
      const there = new Promise<void>((resolve) => waiting.set(key, resolve));
      await bus.publish(`crowd.${key}`, make(index));
      await there;
    },
    close: () => bus.close(),
  };
}

interface Box {
  readonly box: Mailbox<unknown>;
  readonly letters: AsyncIterator<Delivery<unknown>>;
  busy: boolean;
}

/** As many mailboxes, each with a receiver that waits: a run is one letter through one of them, acknowledged. */
async function mailboxes(bus: Bus, count: number): Promise<Errand> {
  const boxes: Box[] = [];
  await each(count, async (index) => {
    const box = await bus.mailbox(`crowd.${index}`);
    const letters = (await box.receive({ maxInFlight: 1 }))[Symbol.asyncIterator]();
    boxes.push({ box, letters, busy: false });
  });
  const random = randomKeys(count);
  return {
    operations: 1,
    run: async (index) => {
      let key = random();
      while (boxes[key]!.busy) key = (key + 1) % count;
      const chosen = boxes[key]!;
      chosen.busy = true;
      await chosen.box.send(make(index));
      const { value } = await chosen.letters.next();
      await value.ack();
      chosen.busy = false;
    },
    close: () => bus.close(),
  };
}

/** One mailbox in which so many letters wait: a run sends one more, and takes and acknowledges the oldest. */
async function letters(bus: Bus, count: number): Promise<Errand> {
  const box = await bus.mailbox("crowd");
  for (let from = 0; from < count; from += 1_000) {
    await box.sendMany(Array.from({ length: Math.min(1_000, count - from) }, (_, index) => make(from + index)));
  }
  const oldest = (await box.receive({ maxInFlight: 256 }))[Symbol.asyncIterator]();
  return {
    operations: 1,
    run: async (index) => {
      await box.send(make(index));
      const { value } = await oldest.next();
      await value.ack();
    },
    close: () => bus.close(),
  };
}

const crowds = { subscribers, subjects, mailboxes, letters };

/** Sets up the crowd; resolves once all of it is in place. */
export function gather(kind: CrowdKind, bus: Bus, count: number): Promise<Errand> {
  return crowds[kind](bus, count);
}
