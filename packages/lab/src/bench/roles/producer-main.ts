/** Produces messages. How many were consumed it hears from the consumer over a socket of its own, not by what is measured. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { type Outlet, Producer } from "../producer.ts";
import type { RawOutlet } from "../ways/raw-flow.ts";
import { type OutletWay, openOutlet } from "../ways/way.ts";
import { Window } from "../window.ts";
import { play } from "./role.ts";

export interface Production {
  readonly way: OutletWay;
  /** Of the broker; for raw ZeroMQ it is the producer that listens. */
  readonly url?: string | undefined;
  readonly bytes: number;
  readonly window: number;
}

let outlet: Outlet | undefined;
let producer: Producer | undefined;
const link = createServer();

play<{ open: Production; start: { inFlight: number | "unbounded" }; stop: undefined }>({
  /** Resolves with where the consumer reports to, and what it connects to where that is this process. */
  open: async (production) => {
    const window = new Window(production.window);
    outlet = await openOutlet(production.way, production.url ?? "");
    producer = new Producer(outlet, window, production.bytes);
    link.on("connection", (socket) => {
      let rest = Buffer.alloc(0);
      socket.on("data", (chunk) => {
        rest = Buffer.concat([rest, chunk]);
        const whole = Math.floor(rest.length / 4) * 4;
        if (whole > 0) window.consumed(rest.readUInt32BE(whole - 4));
        rest = rest.subarray(whole);
      });
      socket.on("error", () => undefined);
    });
    link.listen(0, "127.0.0.1");
    await once(link, "listening");
    return { port: (link.address() as AddressInfo).port, url: (outlet as Partial<RawOutlet>).url };
  },
  start: async ({ inFlight }) => {
    await (outlet as Partial<RawOutlet>).joined?.();
    producer!.start(inFlight === "unbounded" ? Number.POSITIVE_INFINITY : inFlight);
  },
  /** Resolves with how many messages were put. */
  stop: () => producer!.stop(),
});
