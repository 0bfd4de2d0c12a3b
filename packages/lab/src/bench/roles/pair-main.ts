/** Producer and consumer in one process: what is embedded, and its floor. */
import { Consumer, type OpenInlet } from "../consumer.ts";
import { type Outlet, Producer } from "../producer.ts";
import { BareQueue } from "../ways/bare-queue.ts";
import { open, receiving, receivingOneByOne, sending } from "../ways/bus-flow.ts";
import { Window } from "../window.ts";
import { play } from "./role.ts";

export interface Pairing {
  /** `memory:`, `file:DIR`, the URL of a hub; none: the bare queue. */
  readonly url?: string | undefined;
  readonly bytes: number;
  readonly window: number;
}

let producer: Producer | undefined;
let consumer: Consumer | undefined;

async function endsOf({ url, window }: Pairing): Promise<{ outlet: Outlet; inlet: OpenInlet }> {
  if (url === undefined) return new BareQueue();
  const bus = await open(url);
  return { outlet: await sending(bus), inlet: window === 1 ? receivingOneByOne(bus) : receiving(bus) };
}

play<{ open: Pairing; start: { inFlight: number }; mark: undefined; stop: undefined; losses: undefined }>({
  open: async (pairing) => {
    const window = new Window(pairing.window);
    const { outlet, inlet } = await endsOf(pairing);
    consumer = new Consumer((count) => window.consumed(count), 1);
    producer = new Producer(outlet, window, pairing.bytes);
    await inlet(consumer);
  },
  start: ({ inFlight }) => producer!.start(inFlight),
  mark: () => consumer!.mark,
  stop: () => producer!.stop(),
  losses: () => ({ missed: consumer!.missed, repeated: consumer!.repeated }),
});
