/** Asks and waits for the answer, in so many loops at a time. */
import { Caller } from "../caller.ts";
import { type ErrandWay, openErrand } from "../ways/way.ts";
import { play } from "./role.ts";

export interface Calling {
  readonly way: ErrandWay;
  readonly url: string;
  readonly bytes: number;
}

let caller: Caller | undefined;

play<{ open: Calling; start: { inFlight: number }; reset: undefined; mark: undefined; stop: undefined }>({
  open: async ({ way, url, bytes }) => {
    const errand = await openErrand(way, url, bytes);
    await errand.run(0, 0);
    caller = new Caller(errand);
  },
  start: ({ inFlight }) => caller!.start(inFlight),
  reset: () => caller!.reset(),
  mark: () => caller!.mark(),
  stop: () => caller!.stop(),
});
