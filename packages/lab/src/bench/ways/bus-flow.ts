import { type Bus, connect } from "@quadrant/bus";
import type { Inlet, OpenInlet } from "../consumer.ts";
import type { Outlet } from "../producer.ts";

const subject = "bench.orders";
const address = "bench.orders";
/** More than any window: a subscription that holds fewer would drop. */
const buffer = 65_536;
/** Letters that a receiver holds at once. */
const maxInFlight = 1_024;

/** Connects without being shy of a hub that is still starting. */
export function open(url: string): Promise<Bus> {
  return connect(url, { timeoutMs: 10_000, requestTimeoutMs: 30_000, name: "bench" });
}

export function publishing(bus: Bus): Outlet {
  return { put: (payload) => bus.publish(subject, payload), close: () => bus.close() };
}

export function subscribing(bus: Bus): OpenInlet {
  return async (consumer) => {
    const messages = await bus.subscribe(subject, { buffer });
    const reading = (async () => {
      for await (const { data } of messages) if (consumer.take(data)) consumer.settle();
    })();
    return closing(bus, messages, reading);
  };
}

export async function sending(bus: Bus): Promise<Outlet> {
  const box = await bus.mailbox(address);
  return { put: (payload) => box.send(payload), close: () => bus.close() };
}

/** Acknowledges without waiting for each acknowledgement; a letter counts once it is acknowledged. */
export function receiving(bus: Bus): OpenInlet {
  return async (consumer) => {
    const box = await bus.mailbox(address);
    const letters = await box.receive({ maxInFlight });
    const reading = (async () => {
      for await (const letter of letters) {
        const settled = consumer.take(letter.data) ? () => consumer.settle() : () => undefined;
        void letter.ack().then(settled, fail);
      }
    })();
    return closing(bus, letters, reading);
  };
}

/** Acknowledges each letter before it looks at the next. */
export function receivingOneByOne(bus: Bus): OpenInlet {
  return async (consumer) => {
    const box = await bus.mailbox(address);
    const letters = await box.receive({ maxInFlight: 1 });
    const reading = (async () => {
      for await (const letter of letters) {
        const isNew = consumer.take(letter.data);
        await letter.ack();
        if (isNew) consumer.settle();
      }
    })();
    return closing(bus, letters, reading);
  };
}

function closing(bus: Bus, subscription: AsyncDisposable, reading: Promise<void>): Inlet {
  reading.catch(fail);
  return {
    close: async () => {
      await subscription[Symbol.asyncDispose]();
      await reading;
      await bus.close();
    },
  };
}

/** A consumer that cannot go on must not look like a slow one: its process ends, and the measurement with it. */
function fail(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
