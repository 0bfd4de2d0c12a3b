import { any, type BusError, decodeTuple, type TupleEvent } from "@quadrant/contract";
import { beforeEach, expect, test } from "vitest";
import { RowKind } from "./row.ts";
import type { EngineSession } from "./session.ts";
import { type KeptTrial, outcome, startKeptTrial, startTrial, template, tuple } from "./trial.ts";

let trial: KeptTrial;

const everything = template([any, any]);
const text = (n: number, padding: number = 0): string => tuple([n, "x".repeat(padding)]);

async function events({ tuples }: EngineSession, after: number, space: string = "s"): Promise<readonly TupleEvent[]> {
  const all: TupleEvent[] = [];
  for (let at = after; ; ) {
    const page = await tuples.watch(space, { template: everything, after: at, follow: false, max: 256 });
    all.push(...page.events);
    if (page.last === at) return all;
    at = page.last;
  }
}

function said(list: readonly TupleEvent[]): string[] {
  return list.map(({ kind, seq, tuple: told }) => `${seq} ${kind} ${(decodeTuple(told) as readonly unknown[])[0]}`);
}

/** Of a row that is kept. */
function bytesOf(kind: number): number {
  let bytes = 0;
  for (const data of trial.journal.rows.values()) if (data[0] === kind) bytes += data.length;
  return bytes;
}

beforeEach(async () => {
  trial = await startKeptTrial();
});

test("what happened before a restart is told after it, and numbers go on", async () => {
  const { session } = trial;
  await session.tuples.outMany(
    "s",
    [1, 2, 3].map((n) => text(n)),
    undefined,
  );
  await session.tuples.takeNow("s", template([1, any]));
  const claim = await session.tuples.claim("s", template([2, any]), 10_000, {});
  const before = await events(session, 0);
  const next = await trial.restart();
  expect(await events(next.session, 0)).toEqual(before);
  await next.session.tuples.settleClaim("s", { kind: "nak", token: claim.token });
  await next.session.tuples.out("s", text(4), 20, {});
  next.clock.advance(20);
  expect(said(await events(next.session, 3))).toEqual(["4 in 1", "5 in 2", "6 return 2", "7 out 4", "8 expire 4"]);
  const last = await next.restart();
  expect(said(await events(last.session, 0))).toHaveLength(8);
  expect(await last.session.tuples.readAll("s", everything)).toEqual([text(2), text(3)]);
});

test("the bytes of a tuple are kept once, whatever happens to it, and go with the last event of it", async () => {
  const { session, journal } = trial;
  await session.tuples.open("s", { history: 1_024 });
  await session.tuples.out("s", text(1, 5_000), undefined, {});
  for (let n = 0; n < 5; n++) {
    const claim = await session.tuples.claim("s", everything, 10_000, {});
    await session.tuples.settleClaim("s", { kind: "nak", token: claim.token });
  }
  await session.tuples.takeNow("s", everything);
  expect(bytesOf(RowKind.tuple)).toBeLessThan(5_100);
  expect(bytesOf(RowKind.events)).toBeLessThan(12 * 60);
  expect(said(await events(session, 10))).toEqual(["11 return 1", "12 in 1"]);
  for (let n = 0; n < 512; n++) {
    await session.tuples.out("s", text(n), undefined, {});
    await session.tuples.takeNow("s", everything);
  }
  expect(bytesOf(RowKind.tuple)).toBeLessThan(512 * 60);
  expect(journal.size).toBeLessThanOrEqual(2 + 512 + 1_024);
  // Came and went within one group: it stands among the events, once.
  const held = bytesOf(RowKind.events);
  void session.tuples.out("s", text(7, 3_000), undefined, {});
  await session.tuples.takeNow("s", everything);
  expect(bytesOf(RowKind.events) - held).toBeLessThan(3_200);
  const next = await trial.restart();
  expect(said(await events(next.session, 1_036))).toEqual(["1037 out 7", "1038 in 7"]);
  expect(await next.session.tuples.count("s", everything)).toBe(0);
});

test("large tuples shorten the history, which is a gap to who asks for more", async () => {
  const { session } = trial;
  const large = 5 * 1024 * 1024;
  for (let n = 1; n <= 4; n++) await session.tuples.out("s", text(n, large), undefined, {});
  await expect(events(session, 0)).rejects.toMatchObject({ code: "gap" });
  expect(said(await events(session, 1))).toEqual(["2 out 2", "3 out 3", "4 out 4"]);
  // Tuples that are there stay, whatever becomes of their events.
  expect(await session.tuples.count("s", everything)).toBe(4);
  const next = await trial.restart();
  expect(said(await events(next.session, 1))).toEqual(["2 out 2", "3 out 3", "4 out 4"]);
  expect(await next.session.tuples.count("s", everything)).toBe(4);
});

test("who waits hears of all that was done together at once, of nothing that does not match, and of where it stands", async () => {
  const { session } = startTrial();
  const { tuples } = session;
  const watch = (after: number, wanted: string) =>
    tuples.watch("s", { template: wanted, after, follow: true, max: 256 });
  const [all, ones] = [watch(0, everything), watch(0, template([1, any]))];
  await tuples.outMany(
    "s",
    [2, 3].map((n) => text(n)),
    undefined,
  );
  expect(said((await all).events)).toEqual(["1 out 2", "2 out 3"]);
  expect(await outcome(ones)).toBe("pending");
  await tuples.outMany(
    "s",
    Array.from({ length: 600 }, (_, n) => text(n + 2)),
    undefined,
  );
  expect(await ones).toEqual({ events: [], last: 602 });
  const more = watch(602, template([1, any]));
  await tuples.out("s", text(1), undefined, {});
  expect(await more).toMatchObject({ events: [{ seq: 603 }], last: 603 });
});

test("what is not yet on the disk is told to nobody", async () => {
  const { session, journal } = trial;
  await session.tuples.out("s", text(1), undefined, {});
  journal.hold();
  const watching = session.tuples.watch("s", { template: everything, after: 1, follow: true, max: 256 });
  const out = session.tuples.out("s", text(2), undefined, {});
  const looking = events(session, 0);
  expect(await outcome(watching)).toBe("pending");
  expect(await outcome(looking)).toBe("pending");
  journal.release();
  await out;
  expect(said((await watching).events)).toEqual(["2 out 2"]);
  expect(said(await looking)).toEqual(["1 out 1", "2 out 2"]);
});

test("who follows and falls behind is told so; so is who waits when the space or its session ends", async () => {
  const { engine, session } = startTrial();
  const other = engine.connect("other");
  const { tuples } = session;
  const follow = (after: number) => tuples.watch("s", { template: everything, after, follow: true, max: 256 });
  await tuples.open("s", { history: 0 });
  await tuples.outMany(
    "s",
    Array.from({ length: 1_024 }, (_, n) => text(n)),
    undefined,
  );
  expect((await follow(0)).events).toHaveLength(256);
  await expect(events(session, 1_023)).rejects.toMatchObject({ code: "gap" });
  await tuples.out("s", text(1), undefined, {});
  await expect(follow(0)).rejects.toMatchObject({ code: "gap" });
  const waiting = follow(1_025);
  const theirs = other.tuples.watch("s", { template: everything, after: 1_025, follow: true, max: 1 });
  const code = (error: BusError): string => error.code;
  const closed = theirs.then(String, code);
  other.close();
  expect(await closed).toBe("closed");
  const destroyed = waiting.then(String, code);
  await tuples.destroy("s");
  expect(await destroyed).toBe("conflict");
});

test("a space made anew, or by an engine that forgets while others do not, has numbers that none had before", async () => {
  const { session } = trial;
  await session.tuples.out("s", text(1), undefined, {});
  await session.tuples.destroy("s");
  await session.tuples.open("s", {});
  const anew = await trial.restart();
  await expect(events(anew.session, 1)).rejects.toMatchObject({ code: "gap" });
  await anew.session.tuples.outMany(
    "s",
    [1, 2].map((n) => text(n)),
    undefined,
  );
  await expect(events(anew.session, 1)).rejects.toMatchObject({ code: "gap" });
  const [first, second] = await events(anew.session, 0);
  expect(second!.seq).toBe(first!.seq + 1);
  expect(await events((await anew.restart()).session, 0)).toEqual([first, second]);
  const forgetful = await startKeptTrial(undefined, undefined, { isOutlived: true });
  forgetful.clock.advance(5);
  await forgetful.session.tuples.out("s", text(1), undefined, {});
  await expect(events(forgetful.session, 1)).rejects.toMatchObject({ code: "gap" });
});

test("on a full disk, what is taken makes room", async () => {
  const { session, journal } = trial;
  for (let n = 0; n < 600; n++) {
    await session.tuples.out("s", text(n, 100), undefined, {});
    await session.tuples.takeNow("s", everything);
  }
  const held = bytesOf(RowKind.tuple);
  journal.full = true;
  const taken = session.tuples.out("s", text(1), undefined, {});
  expect(await outcome(taken)).toBe("pending");
  // It is refused once it is known: what comes then lets go of what is old.
  const out = session.tuples.takeNow("s", everything);
  await outcome(out);
  journal.full = false;
  await Promise.all([taken, out]);
  expect(bytesOf(RowKind.tuple)).toBeLessThan(held);
  expect(said(await events(session, 1_201))).toEqual(["1202 in 1"]);
});
