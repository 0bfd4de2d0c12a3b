import { expect, test } from "vitest";
import { WorkerPool } from "./worker-pool.ts";

test("gives up on workers that die as soon as they begin, and leaves none", async () => {
  let said = "";
  const failure = Promise.withResolvers<Error>();
  let replaced = 0;
  const pool = new WorkerPool({
    workers: 2,
    args: ["mapreduce", "worker", "job", "--url", "nonsense"],
    env: {},
    told: (text) => {
      said += text;
    },
    onDeath: ({ code }) => {
      expect(code).toBe(2);
      replaced++;
    },
    onFailure: failure.resolve,
  });
  expect((await failure.promise).message).toMatch(/^10 workers died one after the other, the last of exit code 2$/);
  expect([replaced, pool.deaths]).toEqual([9, 10]);
  await pool.stop(false);
  expect(said).toContain("nonsense is no URL");
});

test("is settled when every worker has ended by itself", async () => {
  const pool = new WorkerPool({
    workers: 2,
    args: ["--version"],
    env: {},
    told: () => expect.unreachable(),
    onDeath: () => expect.unreachable(),
    onFailure: () => expect.unreachable(),
  });
  await pool.settle(60_000);
  expect(pool.deaths).toBe(0);
  await pool.stop(false);
});
