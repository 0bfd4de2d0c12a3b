import type { Bus, TupleSpace } from "@quadrant/bus";
import type { Errand } from "../caller.ts";
import { indexOf, type Payload, payloadMaker } from "../payload.ts";

const echo = { echo: (payload: Payload): Payload => payload };
const address = "bench.echo";

export async function serving(bus: Bus): Promise<void> {
  await bus.serve(address, echo);
}

export function calls(bus: Bus, bytes: number): Errand {
  const stub = bus.client<typeof echo>(address, { timeoutMs: 30_000 });
  const make = payloadMaker(bytes);
  return {
    operations: 1,
    run: async (index) => {
      if (indexOf(await stub.echo(make(index))) !== index) throw new Error("an answer to another request");
    },
    close: () => bus.close(),
  };
}

/** Appends to a log. */
export async function appends(bus: Bus, bytes: number): Promise<Errand> {
  const log = await bus.log("bench");
  const make = payloadMaker(bytes);
  return { operations: 1, run: (index) => log.append("orders", make(index)), close: () => bus.close() };
}

/** Puts a tuple and takes it again, in a space that nobody else uses; each lane has keys of its own. */
export async function pairs(bus: Bus, spaceName: string): Promise<Errand> {
  const space: TupleSpace = await bus.space(spaceName);
  return {
    operations: 2,
    run: async (index, lane) => {
      await space.out(["pair", lane, index]);
      await space.in(["pair", lane, Number]);
    },
    close: () => bus.close(),
  };
}
