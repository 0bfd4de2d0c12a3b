import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("a loop that awaits answers of the same turn lets timers have theirs", async () => {
  const paced = new Turns().pace({ ask: async (n: number) => n + 1 });
  let fired = false;
  setTimeout(() => {
    fired = true;
  }, 0);
  let n = 0;
  while (!fired) n = await paced.ask(n);
  expect(n).toBeGreaterThan(0);
});

test("a loop that awaits answers that were there at once lets timers have theirs", async () => {
  const turns = new Turns();
  let fired = false;
  setTimeout(() => {
    fired = true;
  }, 0);
  let n = 0;
  while (!fired) n = await turns.answer(n + 1);
  expect(n).toBeGreaterThan(0);
});

test("failures come at once and are never unhandled; what is no promise is passed on", async () => {
  const failure = new Error("no");
  const paced = new Turns().pace({ fail: () => Promise.reject(failure), plain: () => 1 });
  for (let i = 0; i < 600; i++) {
    await expect(paced.fail()).rejects.toBe(failure);
    expect(paced.plain()).toBe(1);
  }
});

test("senders and receivers side by side, who get their answers at once, let timers have theirs", async () => {
  const turns = new Turns();
  const settled = (): undefined => undefined;
  const queue = turns.paceLocal({
    send: () => ({ duplicate: false }),
    acknowledge: settled,
    settle: settled,
    stable: settled,
    turn: settled,
  });
  let fired = false;
  setTimeout(() => {
    fired = true;
  }, 0);
  const sender = async (): Promise<void> => {
    while (!fired) await queue.turn();
  };
  const receiver = async (): Promise<void> => {
    while (!fired) await turns.paceMany(Promise.resolve(new Array(512).fill(0)));
  };
  await Promise.all([sender(), sender(), sender(), receiver()]);
});

test("an answer that fails before its turn has a listener from the beginning", async () => {
  const turns = new Turns();
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => void unheard.push(reason);
  process.on("unhandledRejection", hear);
  try {
    const answers = Array.from({ length: 1_000 }, () => turns.answer(Promise.reject(new Error("timeout"))));
    const outcomes = await Promise.allSettled(answers);
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(unheard).toEqual([]);
  } finally {
    process.off("unhandledRejection", hear);
  }
});
