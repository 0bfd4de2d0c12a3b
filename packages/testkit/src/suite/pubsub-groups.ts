import type { Bus, Message, Subscription } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { type Collected, collect } from "./collected.ts";
import { eventually } from "./guard.ts";
import { range } from "./range.ts";
import type { Scene } from "./scene.ts";

interface Member {
  readonly subscription: Subscription<Message<number>>;
  readonly messages: Collected<Message<number>>;
}

async function join(bus: Bus, scene: Scene, pattern: string, group: string | undefined): Promise<Member> {
  const subscription = scene.own(await bus.subscribe<number>(pattern, { group, buffer: 4_096 }));
  return { subscription, messages: collect(subscription) };
}

function shares(members: readonly Member[]): number[] {
  return members.flatMap((member) => member.messages.items.map((message) => message.data)).sort((a, b) => a - b);
}

async function exactlyOne(scene: Scene): Promise<void> {
  const subject = scene.name();
  const workers = await Promise.all(
    [scene.bus, scene.other, scene.bus].map((bus) => join(bus, scene, subject, "workers")),
  );
  const auditors = [await join(scene.other, scene, subject, "auditors")];
  const plain = [await join(scene.bus, scene, subject, undefined)];
  for (const n of range(300)) await scene.bus.publish(subject, n);
  for (const group of [plain, auditors, workers]) {
    await eventually("300 messages", () => shares(group).length >= 300);
    expect(shares(group)).toEqual(range(300));
  }
  for (const worker of workers) expect(worker.messages.items.length).toBeGreaterThan(0);
}

async function memberLeaves(scene: Scene): Promise<void> {
  const subject = scene.name();
  const stays = await join(scene.bus, scene, subject, "g");
  const leaves = await join(scene.other, scene, subject, "g");
  for (const n of range(20)) await scene.bus.publish(subject, n);
  await eventually("20 messages", () => shares([stays, leaves]).length === 20);
  await leaves.subscription[Symbol.asyncDispose]();
  const before = leaves.messages.items.length;
  for (const n of range(20)) await scene.bus.publish(subject, 20 + n);
  await eventually("20 more", () => shares([stays, leaves]).length === 40);
  expect(shares([stays, leaves])).toEqual(range(40));
  expect(leaves.messages.items).toHaveLength(before);
}

async function memberIsGone(scene: Scene): Promise<void> {
  const subject = scene.name();
  const stays = await join(scene.bus, scene, subject, "g");
  const own = await scene.connect();
  await join(own, scene, subject, "g");
  await own.close();
  for (const n of range(20)) await scene.bus.publish(subject, n);
  await stays.messages.atLeast(20);
  expect(shares([stays])).toEqual(range(20));
}

async function wildcardGroup(scene: Scene): Promise<void> {
  const root = scene.name();
  const members = await Promise.all([scene.bus, scene.other].map((bus) => join(bus, scene, `${root}.>`, "g")));
  for (const n of range(100)) await scene.other.publish(`${root}.s${n % 7}`, n);
  await eventually("100 messages", () => shares(members).length >= 100);
  expect(shares(members)).toEqual(range(100));
  for (const member of members) {
    const own = member.messages.items.map((message) => message.data);
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
}

export const pubsubGroupClauses: readonly Clause[] = [
  clause("groups/exactly-one", "each message reaches one member of each group, and every plain subscriber", exactlyOne),
  clause("groups/leave", "what follows a member's leaving reaches those that stay", memberLeaves),
  clause("groups/close", "a member whose connection closed gets nothing any more", memberIsGone),
  clause("groups/pattern", "a group shares a pattern as it shares a subject, in order", wildcardGroup),
];
