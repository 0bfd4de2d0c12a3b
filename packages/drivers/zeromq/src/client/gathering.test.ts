import { afterTurn } from "@quadrant/contract";
import { expect, test } from "vitest";
import { Gathering } from "./gathering.ts";

interface Sender {
  /** How many bytes left with each send. */
  readonly sends: number[];
  write(bytes: number): void;
  /** Of one byte. */
  call(unanswered: number): void;
  reply(): void;
  /** Lets so many milliseconds pass. */
  pass(ms: number): void;
}

function sender(): Sender {
  const sends: number[] = [];
  let pending = 0;
  let nowMs = 0;
  const events = {
    pendingBytes: () => pending,
    send: () => {
      if (pending > 0) sends.push(pending);
      pending = 0;
    },
  };
  const gathering = new Gathering(events, { now: () => nowMs });
  return {
    sends,
    write: (bytes) => {
      pending += bytes;
      gathering.written();
    },
    call: (unanswered) => {
      pending++;
      gathering.asked(unanswered);
    },
    reply: () => {
      pending++;
      gathering.replied();
    },
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => afterTurn(resolve));

test("a lone sender waits for nobody", async () => {
  const { sends, write } = sender();
  for (let i = 1; i <= 3; i++) {
    write(10);
    expect(sends).toHaveLength(i);
    await turn();
    expect(sends).toHaveLength(i);
  }
});

test("what one turn writes leaves together, however many continuations write it", async () => {
  const { sends, write } = sender();
  const writers = async (): Promise<void> => {
    await Promise.all(Array.from({ length: 64 }, () => Promise.resolve().then(() => write(1))));
  };
  await writers();
  await turn();
  // The first could not know of the others.
  expect(sends).toEqual([1, 63]);
  await writers();
  expect(sends).toEqual([1, 63]);
  await turn();
  expect(sends).toEqual([1, 63, 64]);
});

test("calls of one turn leave in two portions, so that the other side begins before all are written", async () => {
  for (const calls of [16, 64, 1_000]) {
    const { sends, call } = sender();
    for (let round = 0; round < 2; round++) {
      sends.length = 0;
      for (let i = 0; i < calls; i++) call(calls);
      await turn();
      expect(sends.reduce((sum, bytes) => sum + bytes, 0)).toBe(calls);
      // At first, one could not know of the others.
      expect(sends).toEqual(round === 0 ? [1, calls / 2, calls / 2 - 1] : [calls / 2, calls / 2]);
    }
  }
});

test("who was answered altogether asks again in two portions as large as each other", async () => {
  const { sends, call } = sender();
  for (let round = 0; round < 3; round++) {
    sends.length = 0;
    for (let unanswered = 1; unanswered <= 64; unanswered++) call(unanswered);
    await turn();
  }
  expect(sends).toEqual([32, 32]);
  // Long after, 16 are many.
  for (let i = 0; i < 400; i++) {
    call(1);
    await turn();
  }
  for (let round = 0; round < 2; round++) {
    sends.length = 0;
    for (let unanswered = 1; unanswered <= 16; unanswered++) call(unanswered);
    await turn();
  }
  expect(sends).toEqual([8, 8]);
});

test("calls of which half are elsewhere, and few calls, leave together", async () => {
  for (const { calls, unanswered } of [
    { calls: 32, unanswered: 64 },
    { calls: 7, unanswered: 7 },
  ]) {
    const { sends, call } = sender();
    for (let i = 0; i < calls; i++) call(unanswered);
    await turn();
    sends.length = 0;
    for (let i = 0; i < calls; i++) call(unanswered);
    await turn();
    expect(sends).toEqual([calls]);
  }
});

test("replies leave in portions of half of the most that one turn had of late", async () => {
  const { sends, reply } = sender();
  const replies = async (count: number): Promise<readonly number[]> => {
    sends.length = 0;
    for (let i = 0; i < count; i++) reply();
    await turn();
    return [...sends];
  };
  await replies(64);
  expect(await replies(64)).toEqual([32, 32]);
  // Half of them is a portion already, however often it comes.
  for (let i = 0; i < 1_000; i++) expect(await replies(32)).toEqual([32]);
  // Long after, 32 are many.
  for (let i = 0; i < 200; i++) await replies(20);
  expect((await replies(32)).length).toBeGreaterThan(1);
});

test("a turn that goes on and on does not keep what it wrote", async () => {
  const { sends, write, pass } = sender();
  for (let i = 0; i < 20; i++) write(10_000);
  expect(sends.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(140_000);
  await turn();
  for (let i = 0; i < 2; i++) write(1);
  pass(1);
  const before = sends.length;
  write(1);
  expect(sends.length).toBe(before + 1);
});
