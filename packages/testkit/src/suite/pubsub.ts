import { matchesSubject, matchVectors } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { collect, next } from "./collected.ts";
import { guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection, thrown } from "./rejection.ts";
import type { Scene } from "./scene.ts";

/** A subject that the pattern matches. */
function example(pattern: string): string {
  return pattern.replaceAll("*", "marker").replaceAll(">", "marker.end");
}

async function matchesTheVectors(scene: Scene): Promise<void> {
  const root = scene.name();
  const patterns = [...new Set(matchVectors.map((vector) => vector.pattern))];
  const subjects = [...new Set(matchVectors.map((vector) => vector.subject))];
  const received = await Promise.all(
    patterns.map(async (pattern) => {
      const subscription = scene.own(await scene.bus.subscribe<string>(`${root}.${pattern}`));
      return { pattern, messages: collect(subscription) };
    }),
  );
  for (const subject of subjects) await scene.other.publish(`${root}.${subject}`, subject);
  for (const pattern of patterns) await scene.other.publish(`${root}.${example(pattern)}`, `marker of ${pattern}`);
  for (const { pattern, messages } of received) {
    const marker = `marker of ${pattern}`;
    await messages.until(marker, (items) => items.some((message) => message.data === marker));
    const seen = messages.items.map((message) => message.data).filter((data) => !data.startsWith("marker of "));
    expect(seen, pattern).toEqual(subjects.filter((subject) => matchesSubject(pattern, subject)));
    for (const vector of matchVectors.filter((each) => each.pattern === pattern)) {
      expect(seen.includes(vector.subject), `${pattern} and ${vector.subject}`).toBe(vector.matches);
    }
  }
}

async function effectiveAtOnce(scene: Scene): Promise<void> {
  for (const round of range(scene.rounds(200))) {
    const subject = scene.name();
    const subscription = await scene.other.subscribe<number>(subject);
    await scene.bus.publish(subject, round);
    expect((await next(subscription[Symbol.asyncIterator]())).data).toBe(round);
    await subscription[Symbol.asyncDispose]();
  }
}

async function ordered(scene: Scene): Promise<void> {
  const root = scene.name();
  const messages = collect(scene.own(await scene.bus.subscribe<number>(`${root}.*`, { buffer: 4_096 })));
  const publishers = [scene.bus, scene.other];
  await Promise.all(
    publishers.flatMap((bus, who) => range(500).map((n) => bus.publish(`${root}.from${who}`, n, { headers: {} }))),
  );
  await messages.atLeast(1_000);
  for (const who of publishers.keys()) {
    const own = messages.items.filter((message) => message.subject === `${root}.from${who}`);
    expect(own.map((message) => message.data)).toEqual(range(500));
  }
}

async function oncePerSubscription(scene: Scene): Promise<void> {
  const root = scene.name();
  const patterns = [`${root}.a`, `${root}.*`, `${root}.>`, `${root}.a`];
  const received = await Promise.all(
    patterns.map(async (pattern) => collect(scene.own(await scene.bus.subscribe<number>(pattern)))),
  );
  for (const n of range(100)) await scene.other.publish(`${root}.a`, n);
  for (const messages of received) {
    await messages.until("the last", (items) => items.some((message) => message.data === 99));
    expect(messages.items.map((message) => message.data)).toEqual(range(100));
  }
}

async function unsubscribeBarrier(scene: Scene): Promise<void> {
  const subject = scene.name();
  const leaving = await scene.bus.subscribe<number>(subject);
  const left = collect(leaving);
  const staying = collect(scene.own(await scene.bus.subscribe<number>(subject)));
  await scene.other.publish(subject, 1);
  await left.atLeast(1);
  await leaving[Symbol.asyncDispose]();
  await scene.other.publish(subject, 2);
  await staying.atLeast(2);
  await guard(left.ended, "the loop to end");
  expect(left.items.map((message) => message.data)).toEqual([1]);
  await leaving[Symbol.asyncDispose]();
}

async function concurrentClose(scene: Scene): Promise<void> {
  const subject = scene.name();
  const opened = await Promise.all(range(10).map(() => scene.bus.subscribe(subject)));
  const kept = collect(scene.own(await scene.bus.subscribe<number>(subject)));
  await Promise.all(opened.map((subscription) => subscription[Symbol.asyncDispose]()));
  for (const n of range(50)) await scene.other.publish(subject, n);
  await kept.atLeast(50);
  expect(kept.items.map((message) => message.data)).toEqual(range(50));
}

async function manyToMany(scene: Scene): Promise<void> {
  const subject = scene.name();
  const received = await Promise.all(
    range(50).map(async (index) => {
      const bus = index % 2 === 0 ? scene.bus : scene.other;
      return collect(scene.own(await bus.subscribe<string>(subject, { buffer: 2_048 })));
    }),
  );
  await Promise.all(
    range(50).map(async (publisher) => {
      for (const n of range(10)) await scene.bus.publish(subject, `${publisher}:${n}`);
    }),
  );
  for (const messages of received) {
    await messages.atLeast(500);
    expect(new Set(messages.items.map((message) => message.data)).size).toBe(500);
    expect(messages.items).toHaveLength(500);
  }
}

async function topicsApart(scene: Scene): Promise<void> {
  const root = scene.name();
  const received = await Promise.all(
    range(20).map(async (topic) => collect(scene.own(await scene.bus.subscribe<string>(`${root}.${topic}`)))),
  );
  await Promise.all(
    range(20).flatMap((topic) => range(100).map((n) => scene.other.publish(`${root}.${topic}`, `${topic}:${n}`))),
  );
  for (const [topic, messages] of received.entries()) {
    await messages.atLeast(100);
    expect(messages.items.map((message) => message.data)).toEqual(range(100).map((n) => `${topic}:${n}`));
  }
}

async function closeFlushes(scene: Scene): Promise<void> {
  const subject = scene.name();
  const messages = collect(scene.own(await scene.bus.subscribe<number>(subject, { buffer: 20_000 })));
  const publishers = await Promise.all(range(4).map(() => scene.connect()));
  await Promise.all(
    publishers.map(async (publisher) => {
      await Promise.all(range(500).map((n) => publisher.publish(subject, n)));
      await publisher.close();
    }),
  );
  await messages.atLeast(2_000);
}

async function endsWithTheLoop(scene: Scene): Promise<void> {
  const subject = scene.name();
  const subscription = await scene.bus.subscribe<number>(subject);
  await scene.other.publish(subject, 1);
  for await (const message of subscription) {
    expect(message.data).toBe(1);
    break;
  }
  thrown(() => subscription[Symbol.asyncIterator](), "invalid");
  const again = scene.own(await scene.bus.subscribe<number>(subject));
  await scene.other.publish(subject, 2);
  expect((await next(again[Symbol.asyncIterator]())).data).toBe(2);
}

async function endsWithItsSignal(scene: Scene): Promise<void> {
  const subject = scene.name();
  const controller = new AbortController();
  const ending = collect(await scene.bus.subscribe(subject, { signal: controller.signal }));
  await scene.other.publish(subject, 1);
  await ending.atLeast(1);
  controller.abort();
  await guard(ending.ended, "the loop to end");
  await rejection(scene.bus.subscribe(subject, { signal: controller.signal }), "aborted");
  const again = scene.own(await scene.bus.subscribe<number>(subject));
  await scene.other.publish(subject, 2);
  expect((await next(again[Symbol.asyncIterator]())).data).toBe(2);
}

async function idleSubscriptionEnds(scene: Scene): Promise<void> {
  const idle = await scene.bus.subscribe(scene.name());
  const loop = collect(idle);
  await guard(idle[Symbol.asyncDispose](), "dispose of an idle subscription");
  await guard(loop.ended, "the idle loop to end");
  expect(loop.items).toEqual([]);
}

async function copies(scene: Scene): Promise<void> {
  const subject = scene.name();
  const [first, second] = [
    scene.own(await scene.bus.subscribe<{ list: number[] }>(subject)),
    scene.own(await scene.bus.subscribe<{ list: number[] }>(subject)),
  ];
  const sent = { list: [1] };
  const publishing = scene.bus.publish(subject, sent);
  sent.list.push(2);
  await publishing;
  const message = await next(first[Symbol.asyncIterator]());
  expect(message.data).toEqual({ list: [1] });
  message.data.list.push(3);
  expect((await next(second[Symbol.asyncIterator]())).data).toEqual({ list: [1] });
}

export const pubsubClauses: readonly Clause[] = [
  clause("pubsub/effective", "what is published after subscribe resolved is received", effectiveAtOnce),
  clause("pubsub/fields", "subject, data and headers arrive as they were given", async (scene) => {
    const subject = `${scene.name()}.größe`;
    const subscription = scene.own(await scene.bus.subscribe(subject));
    await scene.other.publish(subject, { n: 1, s: "ß" }, { headers: { "x-kind": "Größe 🎉" } });
    const message = await next(subscription[Symbol.asyncIterator]());
    expect(message.subject).toBe(subject);
    expect(message.data).toEqual({ n: 1, s: "ß" });
    expect(message.headers).toEqual({ "x-kind": "Größe 🎉" });
    expect(subscription.dropped).toBe(0);
  }),
  clause("pubsub/matching", "a pattern matches exactly what the grammar says", matchesTheVectors),
  clause("pubsub/order", "the messages of one publisher arrive in its order", ordered),
  clause("pubsub/once", "every subscription that matches gets a message once", oncePerSubscription),
  clause("pubsub/no-subscriber", "a message that nobody subscribes to is no error", async (scene) => {
    await scene.bus.publish(scene.name(), 1);
    await scene.bus.flush();
  }),
  clause("pubsub/unsubscribe-barrier", "nothing arrives once a dispose has resolved", unsubscribeBarrier),
  clause("pubsub/loop-end", "leaving the loop unsubscribes; a subscription is iterated once", endsWithTheLoop),
  clause("pubsub/signal", "the signal ends a subscription; one aborted before is aborted", endsWithItsSignal),
  clause("pubsub/idle-dispose", "a subscription that nothing reaches can be disposed", idleSubscriptionEnds),
  clause("pubsub/concurrent-close", "ten that close at once disturb nobody", concurrentClose),
  clause("pubsub/fan-out", "50 publishers reach all of 50 subscribers", manyToMany),
  clause("pubsub/topics-apart", "twenty subjects at once do not mix", topicsApart),
  clause("pubsub/close-flushes", "what was published before close arrives", closeFlushes),
  clause("pubsub/copies", "data is a copy: the publisher's and each subscriber's own", copies),
];
