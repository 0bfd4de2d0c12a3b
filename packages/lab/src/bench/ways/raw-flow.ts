/** What is sent without Quadrant: zeromq.js as its documentation uses it. */
import { Subscriber, XPublisher } from "zeromq";
import type { OpenInlet } from "../consumer.ts";
import type { Outlet } from "../producer.ts";

export interface RawOutlet extends Outlet {
  readonly url: string;
  /** Resolves once a subscription has arrived: what is sent before is lost. */
  joined(): Promise<void>;
}

/** One send per message. XPUB is PUB that tells of subscriptions. */
export async function rawPublishing(): Promise<RawOutlet> {
  const socket = new XPublisher({ sendHighWaterMark: 0, linger: 0 });
  await socket.bind("tcp://127.0.0.1:0");
  return {
    url: socket.lastEndpoint!,
    joined: async () => void (await socket.receive()),
    put: (payload) => socket.send(JSON.stringify(payload)),
    close: async () => socket.close(),
  };
}

export function rawSubscribing(url: string): OpenInlet {
  return async (consumer) => {
    const socket = new Subscriber({ receiveHighWaterMark: 0, linger: 0 });
    socket.connect(url);
    socket.subscribe();
    const reading = (async () => {
      for await (const [frame] of socket) if (consumer.take(JSON.parse(frame!.toString()))) consumer.settle();
    })();
    return {
      close: async () => {
        socket.close();
        await reading.catch(() => undefined);
      },
    };
  };
}
