import { inTraceOf } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { next } from "./collected.ts";
import { eventually, gate, guard } from "./guard.ts";
import { bodies, consume } from "./mailbox.ts";
import { range } from "./range.ts";
import type { Scene } from "./scene.ts";

async function acknowledges(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const seen: number[] = [];
  let running = 0;
  const worker = await box.process(async (letter, signal) => {
    expect(++running).toBe(1);
    expect(signal.aborted).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    seen.push(letter.data);
  });
  await box.sendMany(range(50));
  await eventually("50 letters", () => worker.processed === 50);
  await worker[Symbol.asyncDispose]();
  await guard(worker.done, "done");
  await worker[Symbol.asyncDispose]();
  expect(seen).toEqual(range(50));
  expect(worker.failed).toBe(0);
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function concurrent(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const finish = gate();
  let running = 0;
  let most = 0;
  const worker = await box.process(
    async () => {
      most = Math.max(most, ++running);
      await finish.opened;
      running--;
    },
    { concurrency: 20 },
  );
  await box.sendMany(range(60));
  await eventually("20 at once", () => running === 20);
  finish.open();
  await eventually("60 letters", () => worker.processed === 60);
  await worker[Symbol.asyncDispose]();
  expect(most).toBe(20);
}

async function retries(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<string>(scene.name(), { maxAttempts: 3 });
  const asked: number[] = [];
  const tried: string[] = [];
  const worker = await box.process(
    (letter) => {
      tried.push(`${letter.data}${letter.attempt}`);
      if (letter.data === "bad" || letter.attempt < 2) throw new TypeError(`${letter.data} again`);
    },
    { backoff: (attempt) => asked.push(attempt) },
  );
  await box.sendMany(["good", "bad"]);
  await eventually("the dead letter", async () => (await box.info()).dead === 1);
  await eventually("the good one", () => worker.processed === 1);
  await worker[Symbol.asyncDispose]();
  expect(tried.toSorted()).toEqual(["bad1", "bad2", "bad3", "good1", "good2"]);
  expect(asked.filter((attempt) => attempt === 1)).toHaveLength(2);
  expect(worker.failed).toBe(4);
  const dead = await box.deadLetters();
  expect(bodies(dead)).toEqual(["bad"]);
  expect(dead[0]!.error.message).toBe("bad again");
}

async function pauses(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const seen: number[] = [];
  const worker = await box.process((letter) => void seen.push(letter.data));
  await box.send(1);
  await eventually("the first", () => seen.length === 1);
  worker.pause();
  await box.send(2);
  // Another worker is not paused; what the paused one may hold comes once it resumes.
  await eventually("the second to be there", async () => {
    const info = await box.info();
    return info.waiting + info.held === 1;
  });
  expect(seen).toEqual([1]);
  worker.resume();
  await eventually("the second", () => seen.length === 2);
  await worker[Symbol.asyncDispose]();
}

async function drains(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const finish = gate();
  const started: number[] = [];
  const finished: number[] = [];
  const worker = await box.process(async (letter) => {
    started.push(letter.data);
    await finish.opened;
    finished.push(letter.data);
  });
  await box.sendMany(range(5));
  await eventually("a start", () => started.length === 1);
  const disposing = worker[Symbol.asyncDispose]();
  finish.open();
  await guard(disposing, "the dispose");
  expect(finished).toEqual(started);
  expect(worker.processed).toBe(started.length);
  const rest = await consume(box, 5 - started.length);
  expect(rest.map(({ attempt }) => attempt)).toEqual(rest.map(() => 1));
}

async function leftAlone(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<string>(scene.name());
  const worker = await box.process(async (letter) => {
    if (letter.data === "reject") await letter.reject(new Error("by the handler"));
    else if (letter.attempt === 1) await letter.nak({ delayMs: 1 });
  });
  await box.sendMany(["reject", "nak"]);
  await eventually("both to be settled", async () => {
    const { waiting, held, delayed, dead } = await box.info();
    return dead === 1 && waiting + held + delayed === 0;
  });
  await worker[Symbol.asyncDispose]();
  expect(bodies(await box.deadLetters())).toEqual(["reject"]);
}

async function carriesTheTrace(scene: Scene): Promise<void> {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const subject = scene.name();
  const messages = scene.own(await scene.other.subscribe(subject))[Symbol.asyncIterator]();
  const box = await scene.bus.mailbox<string>(scene.name());
  const worker = await box.process(async (letter) => {
    await scene.bus.publish(subject, letter.data);
  });
  await inTraceOf({ traceparent }, () => box.send("traced"));
  expect((await next(messages)).headers).toEqual({ traceparent });
  await box.send("explicit", { headers: { traceparent: traceparent.replace("0af7", "1111") } });
  expect((await next(messages)).headers).toEqual({ traceparent: traceparent.replace("0af7", "1111") });
  await box.send("malformed", { headers: { traceparent: "nonsense" } });
  expect((await next(messages)).headers).toEqual({});
  await box.send("untraced");
  expect((await next(messages)).headers).toEqual({});
  await worker[Symbol.asyncDispose]();
}

export const mailboxProcessClauses: readonly Clause[] = [
  clause(
    "process/acknowledge",
    "process runs the handler for each letter, one at a time, and acknowledges",
    acknowledges,
  ),
  clause("process/concurrency", "process runs as many at once as it is told, and no more", concurrent),
  clause(
    "process/retry",
    "a handler that throws is retried after backoff(attempt), in the end the letter is dead",
    retries,
  ),
  clause("process/pause", "a paused worker starts nothing until it resumes", pauses),
  clause("process/drain", "a worker's dispose lets what runs finish and gives the rest back unspent", drains),
  clause("process/settled-by-handler", "a letter that the handler settled itself is left alone", leftAlone),
  clause(
    "process/trace",
    "the trace of a letter is that of its sender, and goes on with what the handler sends",
    carriesTheTrace,
  ),
];
