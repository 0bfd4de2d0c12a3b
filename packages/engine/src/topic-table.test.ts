import type { Envelope, TopicSink } from "@quadrant/contract";
import { describe, expect, test } from "vitest";
import { bodyOf, envelope, startTrial } from "./trial.ts";

interface Recorder extends TopicSink {
  readonly texts: string[];
  readonly ended: string[];
}

function recorder(): Recorder {
  const texts: string[] = [];
  const ended: string[] = [];
  return {
    texts,
    ended,
    deliver: (batch: readonly Envelope[]) => void texts.push(...batch.map(bodyOf)),
    lost: () => undefined,
    end: (error) => void ended.push(error.code),
  };
}

describe("topics", () => {
  test("deliver to each subscription that matches, once, in order, in the turn of the publish", async () => {
    const { engine, session } = startTrial();
    const [all, some, none] = [recorder(), recorder(), recorder()];
    await session.topics.subscribe("a.>", undefined, all);
    await engine.connect().topics.subscribe("a.*", undefined, some);
    await session.topics.subscribe("b", undefined, none);
    for (let i = 0; i < 3; i++) expect(session.topics.publish(envelope("a.b", String(i)))).toBeUndefined();
    session.topics.publish(envelope("a.b.c", "deep"));
    expect(all.texts).toEqual(["0", "1", "2", "deep"]);
    expect(some.texts).toEqual(["0", "1", "2"]);
    expect(none.texts).toEqual([]);
  });

  test("reach who subscribes to a subject that was published to before, and no longer who has left", async () => {
    const { session } = startTrial();
    const [first, late, member] = [recorder(), recorder(), recorder()];
    const leave = await session.topics.subscribe("a.b", undefined, first);
    session.topics.publish(envelope("a.b", "1"));
    await session.topics.subscribe("a.*", undefined, late);
    session.topics.publish(envelope("a.b", "2"));
    await leave.close();
    const leaveGroup = await session.topics.subscribe(">", "g", member);
    session.topics.publish(envelope("a.b", "3"));
    await leaveGroup.close();
    // More subjects than are remembered.
    for (let i = 0; i < 2_000; i++) session.topics.publish(envelope(`a.s${i}`, "other"));
    session.topics.publish(envelope("a.b", "4"));
    expect(first.texts).toEqual(["1", "2"]);
    expect(late.texts.filter((text) => text !== "other")).toEqual(["2", "3", "4"]);
    expect(late.texts).toHaveLength(2_003);
    expect(member.texts).toEqual(["3"]);
  });

  test("give each message to one member of a group in turn, across sessions, beside plain subscriptions", async () => {
    const { engine, session } = startTrial();
    const members = [recorder(), recorder(), recorder()];
    const plain = recorder();
    for (const member of members) await engine.connect().topics.subscribe("a", "g", member);
    await session.topics.subscribe("a", undefined, plain);
    for (let i = 0; i < 9; i++) session.topics.publish(envelope("a", String(i)));
    expect(members.map(({ texts }) => texts)).toEqual([
      ["0", "3", "6"],
      ["1", "4", "7"],
      ["2", "5", "8"],
    ]);
    expect(plain.texts).toHaveLength(9);
  });

  test("keep groups of one name on different patterns apart", async () => {
    const { session } = startTrial();
    const [one, two] = [recorder(), recorder()];
    await session.topics.subscribe("a.*", "g", one);
    await session.topics.subscribe("a.>", "g", two);
    session.topics.publish(envelope("a.b", "x"));
    expect([one.texts, two.texts]).toEqual([["x"], ["x"]]);
  });

  test("pass over a member of a group that is away, as long as another is there", async () => {
    const { session } = startTrial();
    const away = new Set<number>();
    const members = [0, 1, 2].map((index) => ({ ...recorder(), available: () => !away.has(index) }));
    for (const member of members) await session.topics.subscribe("a", "g", member);
    const publish = (text: string): void => void session.topics.publish(envelope("a", text));
    away.add(0).add(1);
    for (const text of ["x", "y"]) publish(text);
    away.add(2);
    for (const text of ["nobody", "nobody", "nobody"]) publish(text);
    away.clear();
    for (const text of ["1", "2", "3"]) publish(text);
    expect(members.map(({ texts }) => texts)).toEqual([
      ["nobody", "1"],
      ["nobody", "2"],
      ["x", "y", "nobody", "3"],
    ]);
  });

  test("skip a member that has left, and forget a group without members", async () => {
    const { engine, session } = startTrial();
    const [stays, leaves] = [recorder(), recorder()];
    const staying = await session.topics.subscribe("a", "g", stays);
    const leaving = await session.topics.subscribe("a", "g", leaves);
    session.topics.publish(envelope("a", "0"));
    await leaving.close();
    await leaving.close();
    for (let i = 1; i < 4; i++) session.topics.publish(envelope("a", String(i)));
    expect(stays.texts).toEqual(["0", "1", "2", "3"]);
    expect(leaves.texts).toEqual([]);
    await staying.close();
    expect(engine.describe()).toMatchObject({ topics: { subscriptions: 0, groups: 0, patterns: 0 } });
  });

  test("keep the turn of a group when a member before it leaves", async () => {
    const { engine, session } = startTrial();
    const members = [recorder(), recorder(), recorder()];
    const registrations = [];
    for (const member of members) registrations.push(await session.topics.subscribe("a", "g", member));
    for (const text of ["0", "1"]) session.topics.publish(envelope("a", text));
    await registrations[0]!.close();
    for (const text of ["2", "3"]) session.topics.publish(envelope("a", text));
    expect(members.map(({ texts }) => texts)).toEqual([["0"], ["1", "3"], ["2"]]);
    // The next is the first that is left: who leaves behind it does not matter.
    await registrations[1]!.close();
    session.topics.publish(envelope("a", "4"));
    expect(members[2]!.texts).toEqual(["2", "4"]);
    expect(engine.describe()).toMatchObject({ topics: { published: 5 } });
  });

  test("deliver nothing after a subscription's close, and end it with the session", async () => {
    const { engine, session } = startTrial();
    const [closed, ended] = [recorder(), recorder()];
    const registration = await session.topics.subscribe("a", undefined, closed);
    await session.topics.subscribe("a", undefined, ended);
    await registration.close();
    const other = engine.connect();
    session.close();
    expect(other.topics.publish(envelope("a", "late"))).toBeUndefined();
    expect(closed).toMatchObject({ texts: [], ended: [] });
    expect(ended).toMatchObject({ texts: [], ended: ["closed"] });
    await expect(session.topics.publish(envelope("a", "x"))).rejects.toMatchObject({ code: "closed" });
    await expect(session.topics.subscribe("a", undefined, closed)).rejects.toMatchObject({ code: "closed" });
  });

  test("deliver to a sink that is given twice twice, and until each is closed", async () => {
    const { session } = startTrial();
    const sink = recorder();
    const first = await session.topics.subscribe("a", undefined, sink);
    await session.topics.subscribe("a", undefined, sink);
    session.topics.publish(envelope("a", "1"));
    await first.close();
    session.topics.publish(envelope("a", "2"));
    expect(sink.texts).toEqual(["1", "1", "2"]);
  });
});
