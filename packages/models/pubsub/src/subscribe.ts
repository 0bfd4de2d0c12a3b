import {
  assertSupported,
  BusError,
  type Context,
  checkCount,
  checkPattern,
  checkSchema,
  checkSignal,
  checkToken,
  type Message,
  type Registration,
  type SubscribeOptions,
  type Subscription,
  unlessAborted,
} from "@quadrant/contract";
import { Intake } from "./intake.ts";
import { topicsOf } from "./publish.ts";

const overflows: readonly unknown[] = [undefined, "drop-oldest", "drop-newest", "error"];

function check<T>(pattern: string, options: SubscribeOptions<T>): void {
  checkPattern("pattern", pattern);
  if (options.group !== undefined) checkToken("group", options.group);
  checkCount("buffer", options.buffer);
  if (!overflows.includes(options.overflow)) {
    const given = JSON.stringify(options.overflow);
    throw new BusError("invalid", `overflow: ${given}; there are "drop-oldest", "drop-newest" and "error"`);
  }
  checkSchema(options.schema);
  if (options.invalid !== undefined && typeof options.invalid !== "function")
    throw new BusError("invalid", "invalid: give a function");
  checkSignal(options.signal, `subscribing to ${pattern}`);
}

/**
 * Resolves once effective. At the end of the connection the iterator gets what is buffered, and is done; the close does
 * not wait for it.
 */
export async function subscribe<T>(
  context: Context,
  pattern: string,
  options: SubscribeOptions<T> = {},
): Promise<Subscription<Message<T>>> {
  context.assertIntake();
  check(pattern, options);
  const topics = topicsOf(context);
  if (options.group !== undefined) assertSupported(context.driver, "topics.groups");
  let registration: Registration | undefined;
  let untrack: (() => void) | undefined;
  const intake = new Intake(context, pattern, options, async () => {
    untrack?.();
    await registration?.close();
  });
  const { feed } = intake;
  try {
    registration = await unlessAborted(
      options.signal,
      `subscribing to ${pattern}`,
      topics.subscribe(pattern, options.group, intake),
      (late) => void late.close(),
    );
  } catch (error) {
    void feed.end();
    throw error;
  }
  if (feed.ended) await registration.close();
  else untrack = context.track({ drain: () => feed.finish(), abandon: () => void feed.end() });
  return feed;
}
