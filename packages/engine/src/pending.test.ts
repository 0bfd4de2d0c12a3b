import { getEventListeners } from "node:events";
import { any } from "@quadrant/contract";
import { expect, test } from "vitest";
import { Engine } from "./engine.ts";
import { letter, startTrial, template, tuple } from "./trial.ts";

test("nothing listens to a signal any more once the wait is over, however it ended", async () => {
  const { clock, session } = startTrial();
  const { signal } = new AbortController();
  const pattern = template([any]);
  const captured = session.tuples.take("s", pattern, { signal });
  const timedOut = session.tuples.take("s", pattern, { signal, timeoutMs: 10 });
  const fetched = session.queues.fetch("q", { max: 1, signal });
  expect(getEventListeners(signal, "abort")).toHaveLength(3);
  await session.tuples.out("s", tuple([1]), undefined, {});
  await captured;
  await session.queues.send("q", [letter("1")]);
  await fetched;
  clock.advance(10);
  await expect(timedOut).rejects.toMatchObject({ code: "timeout" });
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("what was due when a signal aborts came before it, though nobody was woken", async () => {
  let now = 0;
  const engine = new Engine({ clock: { now: () => now, schedule: () => () => undefined }, driver: "memory" });
  const session = engine.connect();
  const abort = new AbortController();
  await session.queues.send("q", [letter("1", { delayMs: 100 })]);
  const fetched = session.queues.fetch("q", { max: 1, signal: abort.signal });
  const taken = session.tuples.take("s", template([any]), { signal: abort.signal, timeoutMs: 200 });
  now = 100;
  abort.abort("enough");
  expect(await fetched).toMatchObject([{ id: "1" }]);
  await expect(taken).rejects.toMatchObject({ code: "aborted", cause: "enough", driver: "memory" });
  engine.close();
});
