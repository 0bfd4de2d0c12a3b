import { describe, expect, test } from "vitest";
import { MemoryJournal } from "./memory-journal.ts";
import { envelope, letter, outcome, startKeptTrial, template, tuple } from "./trial.ts";

const job = tuple(["job", 1]);
const jobs = template(["job", Number]);

describe("what is kept", () => {
  test("is answered once it is committed, never before; so is what has seen it", async () => {
    const { session, journal } = await startKeptTrial();
    const receiving = session.queues.fetch("q", { max: 1 });
    const taking = session.tuples.take("s", jobs, {});
    const following = session.logs.read("l", { from: "first", max: 1, follow: true });
    await outcome(taking);
    journal.hold();
    const waiting = [
      receiving,
      taking,
      following,
      session.queues.send("q", [letter("a")]),
      session.tuples.out("s", job, undefined, {}),
      session.tuples.out("s", tuple(["other"]), undefined, {}),
      session.tuples.readNow("s", template(["other"])),
      session.tuples.count("s", template(["other"])),
      session.queues.info("q"),
      session.logs.append("l", envelope("s")),
      session.logs.info("l"),
    ];
    for (const each of waiting) expect(await outcome(each as Promise<unknown>)).toBe("pending");
    // What is live waits for nobody.
    expect(session.topics.publish(envelope("live"))).toBeUndefined();
    expect(await outcome(session.calls.services())).toEqual({ value: [] });
    journal.release();
    expect((await receiving).map(({ id }) => id)).toEqual(["a"]);
    expect(await taking).toBe(job);
    expect((await following).entries).toHaveLength(1);
    await Promise.all(waiting);
  });

  test("is lost where it was not acknowledged, with all that followed from it", async () => {
    const one = await startKeptTrial();
    await one.session.tuples.out("s", job, undefined, {});
    one.journal.hold();
    const taking = one.session.tuples.takeNow("s", jobs);
    const sending = one.session.queues.send("q", [letter("a")]);
    expect(await outcome(taking)).toBe("pending");
    const two = await one.restart();
    expect(await two.session.tuples.takeNow("s", jobs)).toBe(job);
    expect(await two.session.queues.info("q")).toMatchObject({ waiting: 0 });
    expect(await outcome(sending)).toBe("pending");
  });

  test("costs nothing where it came and went within one group, but for the history of a space", async () => {
    const { session, journal } = await startKeptTrial();
    await session.queues.open("q", {});
    await session.tuples.out("s", tuple(["warm"]), undefined, {});
    await session.queues.send("q", [letter("warm")]);
    const rows = journal.size;
    journal.hold();
    const first = session.queues.send("q", [letter("holds the journal up")]);
    await outcome(first);
    const { written } = journal;
    const sent = session.queues.send("q", [letter("a"), letter("b")]);
    void session.tuples.out("s", job, undefined, {});
    void session.tuples.takeNow("s", jobs);
    const purged = session.queues.purge("q");
    journal.release();
    await Promise.all([first, sent]);
    expect(await purged).toBe(4);
    // The letter that was on its way was written, and is gone again, like the first. What happened to the tuple is one row.
    expect(journal.written).toBe(written + 2);
    expect(journal.size).toBe(rows);
  });

  test("is one commit for what is done in one turn, and one for what comes while that is under way", async () => {
    const { session, journal } = await startKeptTrial();
    await session.queues.open("q", {});
    const before = journal.commits;
    await Promise.all(Array.from({ length: 100 }, (_, i) => session.queues.send("q", [letter(`${i}`)])));
    expect(journal.commits - before).toBe(1);
    journal.hold();
    const one = session.queues.send("q", [letter("one")]);
    await outcome(one);
    const more = Array.from({ length: 100 }, (_, i) => session.queues.send("q", [letter(`more ${i}`)]));
    await outcome(more[0]!);
    journal.release();
    await Promise.all([one, ...more]);
    expect(journal.commits - before).toBe(3);
  });
});

describe("a full disk", () => {
  test("is overflow for what would add to it, before it is done, and not for what makes room", async () => {
    const { session, journal } = await startKeptTrial();
    await session.queues.send("q", [letter("a"), letter("b")]);
    journal.freeBytes = 100_000;
    await session.tuples.out("s", job, undefined, {});
    const full = { code: "overflow", message: expect.stringContaining("disk is full") };
    await expect(session.queues.send("q", [letter("c")])).rejects.toMatchObject(full);
    await expect(session.tuples.out("s", job, undefined, {})).rejects.toMatchObject(full);
    await expect(session.tuples.outMany("s", [job], undefined)).rejects.toMatchObject(full);
    await expect(session.logs.append("l", envelope("s"))).rejects.toMatchObject(full);
    const letters = await session.queues.fetch("q", { max: 9 });
    expect(letters.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(await session.queues.settle("q", [{ kind: "ack", token: letters[0]!.token }])).toEqual([undefined]);
    expect(await session.tuples.takeNow("s", jobs)).toBe(job);
    expect(await session.logs.info("l")).toMatchObject({ count: 0 });
    // Whoever tries again finds out that there is room again.
    journal.freeBytes = 1e9;
    await expect(session.queues.send("q", [letter("c")])).rejects.toMatchObject(full);
    await outcome(session.queues.info("q"));
    expect(await session.queues.send("q", [letter("c")])).toEqual([{ duplicate: false }]);
  });

  test("is known from the beginning", async () => {
    const journal = new MemoryJournal();
    journal.freeBytes = 1_000;
    const { session } = await startKeptTrial(journal);
    await expect(session.queues.send("q", [letter("a")])).rejects.toMatchObject({ code: "overflow" });
  });

  test("that is met by a group is indefinite in time, and kept once there is room", async () => {
    const journal = new MemoryJournal();
    const one = await startKeptTrial(journal, undefined, { commitTimeoutMs: 30 });
    journal.full = true;
    const sending = one.session.queues.send("q", [letter("a")]);
    await expect(sending).rejects.toMatchObject({ code: "indefinite" });
    // What would only add is told at once by now; what has changed nothing is not in doubt.
    await expect(one.session.queues.send("q", [letter("b")])).rejects.toMatchObject({ code: "overflow" });
    await expect(one.session.queues.info("q")).rejects.toMatchObject({ code: "unavailable" });
    journal.full = false;
    await expect.poll(() => one.session.queues.info("q").catch(() => undefined)).toMatchObject({ waiting: 1 });
    const two = await one.restart();
    expect((await two.session.queues.fetch("q", { max: 9 })).map(({ id }) => id)).toEqual(["a"]);
  });

  test("does not keep an engine from being closed", async () => {
    const { engine, session, journal } = await startKeptTrial();
    journal.full = true;
    const sending = session.queues.send("q", [letter("a")]);
    sending.catch(() => undefined);
    await outcome(sending);
    await engine.close();
    await expect(sending).rejects.toMatchObject({ code: "indefinite" });
    expect(journal.closed).toBe(true);
  });
});

test("a journal that has failed is indefinite for what was under way, unavailable for all that comes", async () => {
  const { session, journal } = await startKeptTrial();
  await session.queues.send("q", [letter("a")]);
  journal.broken = true;
  await expect(session.queues.send("q", [letter("b")])).rejects.toMatchObject({ code: "indefinite" });
  await expect(session.queues.send("q", [letter("c")])).rejects.toMatchObject({ code: "unavailable" });
  await expect(session.queues.info("q")).rejects.toMatchObject({ code: "unavailable" });
  await expect(session.tuples.take("s", jobs, {})).rejects.toMatchObject({ code: "unavailable" });
});
