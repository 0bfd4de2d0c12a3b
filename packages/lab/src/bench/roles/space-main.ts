/** A tuple space in its own process, with tuples resident in it, and a loop that takes one and puts it back. */
import { between, type TupleSpace } from "@quadrant/bus";
import { Caller, type Errand } from "../caller.ts";
import { randomKeys } from "../random-keys.ts";
import { open } from "../ways/bus-flow.ts";
import { play } from "./role.ts";

export interface Residence {
  /**
   * `key`: the key is the first field. `constant`: the first field is the same in all. `range`: no index serves the template.
   * Each puts back what it took. `oldest`: takes whatever is oldest, and puts a thousand at once when a thousand are taken.
   */
  readonly template: "key" | "constant" | "range" | "oldest";
  readonly resident: number;
  readonly url: string;
}

/** How wide a range is: so many tuples match, whatever the number resident. */
const rangeWidth = 10;

const refill = 1_000;

/** Taking alone would end with the last tuple: the time that putting others takes counts as well. */
function takes(space: TupleSpace, resident: number): Errand["run"] {
  let stock = 0;
  let filling: Promise<void> | undefined;
  const fill = async (): Promise<void> => {
    await space.outMany(Array.from({ length: refill }, (_, index) => ["task", resident + index, "open"]));
    stock += refill;
    filling = undefined;
  };
  return async () => {
    while (stock === 0) {
      filling ??= fill();
      await filling;
    }
    stock--;
    await space.in(["task", Number, String]);
  };
}

function errandOf(space: TupleSpace, { template, resident }: Residence): Errand {
  const random = randomKeys(resident);
  const close = async (): Promise<void> => undefined;
  switch (template) {
    case "key":
      return {
        operations: 1,
        run: async () => space.out(await space.in([random(), "task", String])),
        close,
      };
    case "constant":
      return {
        operations: 1,
        run: async () => space.out(await space.in(["task", random(), String])),
        close,
      };
    case "range":
      return {
        operations: 1,
        run: async () => {
          const low = random() % Math.max(1, resident - rangeWidth);
          await space.out(await space.in(["task", between(low, low + rangeWidth), String]));
        },
        close,
      };
    case "oldest":
      return { operations: 1, run: takes(space, resident), close };
  }
}

let caller: Caller | undefined;

play<{ open: Residence; start: { inFlight: number }; reset: undefined; mark: undefined; stop: undefined }>({
  open: async (residence) => {
    const bus = await open(residence.url);
    const space = await bus.space("bench", { maxScan: 10_000_000 });
    for (let from = 0; from < residence.resident; from += 1_000) {
      const length = Math.min(1_000, residence.resident - from);
      const keys = Array.from({ length }, (_, index) => from + index);
      await space.outMany(
        keys.map((key) => (residence.template === "key" ? [key, "task", "open"] : ["task", key, "open"])),
      );
    }
    // The first template of its shape may have an index made, which takes seconds for a million: that is not what is measured.
    if (residence.template === "oldest") await space.rdp(["task", Number, String]);
    caller = new Caller(errandOf(space, residence));
  },
  start: ({ inFlight }) => caller!.start(inFlight),
  reset: () => caller!.reset(),
  mark: () => caller!.mark(),
  stop: () => caller!.stop(),
});
