/** Consumes what the producer produces, and tells it how far it is. */
import { once } from "node:events";
import { connect as dial } from "node:net";
import { Consumer } from "../consumer.ts";
import { type InletWay, openInlet } from "../ways/way.ts";
import { play } from "./role.ts";

export interface Consumption {
  readonly way: InletWay;
  readonly url: string;
  /** Where the producer hears how many were consumed. */
  readonly port: number;
  /** Told every so many messages. */
  readonly every: number;
}

let consumer: Consumer | undefined;

play<{ open: Consumption; mark: undefined; losses: undefined }>({
  open: async (consumption) => {
    const socket = dial(consumption.port, "127.0.0.1").setNoDelay(true);
    await once(socket, "connect");
    socket.on("error", () => undefined);
    const report = (count: number): void => {
      const bytes = Buffer.allocUnsafe(4);
      bytes.writeUInt32BE(count);
      socket.write(bytes);
    };
    consumer = new Consumer(report, consumption.every);
    const start = await openInlet(consumption.way, consumption.url);
    await start(consumer);
  },
  mark: () => consumer!.mark,
  losses: () => ({ missed: consumer!.missed, repeated: consumer!.repeated }),
});
