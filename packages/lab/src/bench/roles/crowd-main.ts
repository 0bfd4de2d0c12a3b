/** Many of something in one process with one connection, and a loop that uses one of them after the other. */
import { Caller } from "../caller.ts";
import { open } from "../ways/bus-flow.ts";
import { type CrowdKind, gather } from "../ways/crowd.ts";
import { play } from "./role.ts";

export interface Crowd {
  readonly kind: CrowdKind;
  readonly count: number;
  readonly url: string;
}

let caller: Caller | undefined;

play<{
  open: Crowd;
  start: { inFlight: number };
  reset: undefined;
  mark: undefined;
  stop: undefined;
  memory: undefined;
}>({
  open: async ({ kind, count, url }) => {
    caller = new Caller(await gather(kind, await open(url), count));
  },
  start: ({ inFlight }) => caller!.start(inFlight),
  reset: () => caller!.reset(),
  mark: () => caller!.mark(),
  stop: () => caller!.stop(),
  /** Bytes. */
  memory: () => process.memoryUsage.rss(),
});
