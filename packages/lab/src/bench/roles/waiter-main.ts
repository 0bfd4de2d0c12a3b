/** Clients that wait for tuples which nobody puts. */
import { open } from "../ways/bus-flow.ts";
import { play } from "./role.ts";

export interface Waiting {
  readonly url: string;
  readonly waiters: number;
  readonly clients: number;
}

play<{ wait: Waiting }>({
  /** Resolves once the hub has all of them. */
  wait: async ({ url, waiters, clients }) => {
    for (let client = 0; client < clients; client++) {
      const space = await (await open(url)).space("bench-idle");
      for (let index = client; index < waiters; index += clients) {
        void space.in(["never", index, String]).catch((error) => {
          setImmediate(() => {
            throw error;
          });
        });
      }
      // The hub answers in order: when it answers this, it has what was asked before.
      await space.rdp(["never"]);
    }
  },
});
