import { encodeTemplate, encodeTuple } from "@quadrant/contract";
import { Engine } from "@quadrant/engine";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { NatsConnection } from "../connection.ts";
import { connectionOptions } from "../credentials.ts";
import { openConnection } from "../opening.ts";
import { encodePart, PartFlag } from "./journal-message.ts";
import { journalStream, journalSubject } from "./layout.ts";
import { StreamJournal } from "./stream-journal.ts";

const options = {
  name: "test",
  timeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  maxPayloadBytes: 8 << 20,
  outboxBytes: 64 << 20,
};
const number = encodeTemplate(["t", Number]);
const tuple = (n: number): string => encodeTuple(["t", n]);
const none = new Uint8Array(0);

let broker: StartedBroker;
let connection: NatsConnection;
const cleanups: (() => unknown)[] = [];
beforeAll(async () => {
  broker = await startBroker("nats");
  const url = new URL(broker.url);
  connection = await openConnection(connectionOptions(url, options), options);
});
afterAll(async () => {
  await connection?.close();
  await broker?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await connection.api("begin anew", `STREAM.DELETE.${journalStream}`).catch(() => undefined);
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function owner(epoch: number): Promise<{ readonly engine: Engine; readonly journal: StreamJournal }> {
  const journal = await StreamJournal.open(connection, epoch, 1);
  const engine = await Engine.recover(journal);
  cleanups.push(() => engine.close());
  return { engine, journal };
}

async function store(message: Uint8Array): Promise<void> {
  await connection.store("test", journalSubject, message, undefined, false);
}

interface State {
  readonly messages: number;
  readonly last_seq: number;
}

async function state(): Promise<State> {
  return (await connection.api<{ readonly state: State }>("test", `STREAM.INFO.${journalStream}`)).state;
}

test("what was acknowledged is there for the next owner, and the one before can store nothing any more", async () => {
  const first = (await owner(1)).engine.connect().tuples;
  await first.outMany("s", [tuple(1), tuple(2), tuple(3)], undefined);
  expect(await first.takeNow("s", number)).toBe(tuple(1));
  const second = (await owner(2)).engine.connect().tuples;
  await expect(first.out("s", tuple(4), undefined, {})).rejects.toMatchObject({ code: "indefinite" });
  await expect(first.takeNow("s", number)).rejects.toMatchObject({ code: "unavailable" });
  expect(await second.readAll("s", number)).toEqual([tuple(2), tuple(3)]);
  expect(await second.takeNow("s", number)).toBe(tuple(2));
});

test("of two owners that begin at once the later one goes on, the earlier is deposed", async () => {
  const opened = await Promise.allSettled([StreamJournal.open(connection, 5, 1), StreamJournal.open(connection, 6, 1)]);
  for (const each of opened) if (each.status === "fulfilled") await each.value.close();
  expect(opened[1].status).toBe("fulfilled");
  await expect(StreamJournal.open(connection, 5, 1)).rejects.toThrow("taken over");
});

test("a group that was not finished never happened", async () => {
  const { engine, journal } = await owner(1);
  await engine.connect().tuples.out("s", tuple(1), undefined, {});
  await engine.close();
  const { lastSeq } = journal.describe();
  await store(encodePart(PartFlag.first, 1, 1_000, Buffer.from("the beginning of what did not get further")));
  expect((await state()).last_seq).toBe(lastSeq! + 1);
  const next = (await owner(2)).engine.connect().tuples;
  expect(await next.readAll("s", number)).toEqual([tuple(1)]);
  await next.out("s", tuple(2), undefined, {});
  expect(await (await owner(3)).engine.connect().tuples.readAll("s", number)).toEqual([tuple(1), tuple(2)]);
});

test("what somebody else or a later release wrote is refused, and left as it is", async () => {
  await (await owner(1)).engine.close();
  const later = encodePart(PartFlag.first | PartFlag.last, 2, 1, none);
  later[2] = 9;
  await store(later);
  const { last_seq: written } = await state();
  await expect(StreamJournal.open(connection, 3, 1)).rejects.toMatchObject({ code: "unsupported" });
  await store(Buffer.from("something else altogether, of nobody we know"));
  await expect(StreamJournal.open(connection, 3, 1)).rejects.toMatchObject({ code: "unavailable" });
  expect((await state()).last_seq).toBe(written + 1);
});

test("what is damaged is refused", async () => {
  await (await owner(1)).engine.close();
  const damaged = encodePart(PartFlag.first | PartFlag.last, 1, 2, Buffer.from("0123456789"));
  damaged[damaged.length - 1]! ^= 1;
  await store(damaged);
  await expect(StreamJournal.open(connection, 2, 1)).rejects.toMatchObject({ code: "unavailable" });
});

test("groups in crumbs are put together, the space of the dead is given back, and nothing is lost", async () => {
  const { engine, journal } = await owner(1);
  const { tuples } = engine.connect();
  for (let n = 0; n < 50; n++) await tuples.out("s", tuple(n), undefined, {});
  for (let n = 0; journal.describe().cleaned === 0 || journal.describe().purged === 0; n++) {
    expect(n).toBeLessThan(20_000);
    await tuples.out("other", tuple(n), undefined, {});
    expect(await tuples.takeNow("other", number)).toBe(tuple(n));
  }
  expect((await state()).messages).toBeLessThan(4_000);
  const next = (await owner(2)).engine.connect().tuples;
  expect(await next.readAll("s", number)).toEqual(Array.from({ length: 50 }, (_, n) => tuple(n)));
  expect(await next.count("other", number)).toBe(0);
});

test("rows that were written again, but whose old place was not given back, are there once", async () => {
  const { engine } = await owner(1);
  const { tuples } = engine.connect();
  const lease = await tuples.out("s", tuple(1), 60_000, {});
  await tuples.out("s", tuple(2), undefined, {});
  // Writes the row again, as cleaning does; then the owner is gone before anything was purged.
  await tuples.renew("s", lease.id, 90_000);
  const next = (await owner(2)).engine.connect().tuples;
  expect(await next.readAll("s", number)).toEqual([tuple(1), tuple(2)]);
});

test("a group larger than a message is kept whole", async () => {
  const { tuples } = (await owner(1)).engine.connect();
  const large = Array.from({ length: 5 }, (_, n) => encodeTuple(["t", "x".repeat(500_000), n]));
  await tuples.outMany("s", large, undefined);
  const next = (await owner(2)).engine.connect().tuples;
  expect(await next.readAll("s", encodeTemplate(["t", String, Number]))).toEqual(large);
});
