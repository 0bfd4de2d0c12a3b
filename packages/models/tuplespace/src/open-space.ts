import {
  assertSupported,
  BusError,
  type Context,
  checkCount,
  checkToken,
  type SpaceOptions,
  type SpaceSpec,
  type TupleSpace,
} from "@quadrant/contract";
import { checkOptions, Space } from "./space.ts";

const picks: readonly unknown[] = [undefined, "oldest", "newest", "random"];
const policies: readonly unknown[] = [undefined, "wait", "reject"];

function specOf(options: SpaceOptions | undefined): SpaceSpec {
  checkOptions(options);
  const { pick, capacity, whenFull, maxScan, history } = options ?? {};
  if (!picks.includes(pick)) throw new BusError("invalid", 'pick: give "oldest", "newest" or "random"');
  if (!policies.includes(whenFull)) throw new BusError("invalid", 'whenFull: give "wait" or "reject"');
  checkCount("capacity", capacity);
  checkCount("maxScan", maxScan);
  checkCount("history", history, 0);
  return { pick, capacity, whenFull, maxScan, history };
}

/**
 * Opens a tuple space, creating it if absent. Throws "invalid" for a bad name or option, "conflict" for options that
 * differ from those it was made with, "unsupported", "closed".
 *
 * `in`, `rd`, `claim`, and `out` at capacity, wait until a match or room is there, however long, unless they are given
 * timeoutMs (0: look once) or a signal; closing the bus ends them with "closed". Everything else ends within the
 * connection's requestTimeoutMs.
 */
export async function openSpace(context: Context, name: string, options?: SpaceOptions): Promise<TupleSpace> {
  context.assertIntake();
  checkToken("space", name);
  const spec = specOf(options);
  assertSupported(context.driver, "space");
  if (spec.capacity !== undefined) assertSupported(context.driver, "space.capacity");
  const tuples = context.driver.tuples;
  if (tuples === undefined) {
    throw new BusError("unsupported", `the driver ${context.driver.name} has no tuple spaces`, {
      driver: context.driver.name,
    });
  }
  await tuples.open(name, spec);
  return new Space(context, tuples, name);
}
