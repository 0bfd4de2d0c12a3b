import { type BusErrorCode, invalidPatterns, wildcardPatterns } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { type Collected, collect, gather, next } from "./collected.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

/** What is tried, and what it must be refused with. */
export interface Attempt {
  readonly what: string;
  readonly use: () => unknown;
  readonly code: BusErrorCode;
}

export function attempt(what: string, code: BusErrorCode, use: () => unknown): Attempt {
  return { what, use, code };
}

interface Names {
  readonly mailbox: readonly string[];
  readonly log: readonly string[];
  readonly space: readonly string[];
  readonly addresses: readonly string[];
}

async function everyName(scene: Scene): Promise<Names> {
  const [mailbox, log, space, services] = await Promise.all([
    scene.other.list("mailbox"),
    scene.other.list("log"),
    scene.other.list("space"),
    scene.other.services(),
  ]);
  return {
    mailbox: mailbox.toSorted(),
    log: log.toSorted(),
    space: space.toSorted(),
    addresses: services.map((service) => service.address).toSorted(),
  };
}

/**
 * Each attempt is refused with its code, by a throw or a rejection; nothing was sent: a subscriber to everything hears
 * nothing but the marker, no name came to be; and the connection works afterwards.
 */
export async function refuses(scene: Scene, attempts: readonly Attempt[]): Promise<void> {
  const subject = `${scene.name()}.marker`;
  const subscription = await scene.other.subscribe<string>(">", { buffer: 100_000 });
  const heard: Collected<{ readonly subject: string }> = collect(subscription);
  const before = await everyName(scene);
  for (const { what, use, code } of attempts) {
    const refusal = (async () => use())();
    await rejection(refusal, code).catch((error: Error) => expect.fail(`${what}: ${error.message}`));
  }
  await scene.bus.publish(subject, "marker");
  await heard.until("the marker", (items) => items.some((message) => message.subject === subject));
  expect(heard.items.map((message) => message.subject)).toEqual([subject]);
  expect(await everyName(scene)).toEqual(before);
  await subscription[Symbol.asyncDispose]();
}

const short = (text: string): string => JSON.stringify(text.slice(0, 20));

async function names(scene: Scene): Promise<void> {
  const { bus } = scene;
  const log = await bus.log(scene.name());
  const bad = invalidPatterns;
  await refuses(scene, [
    ...[...bad, ...wildcardPatterns].flatMap((name) => [
      attempt(`publish ${short(name)}`, "invalid", () => bus.publish(name, 1)),
      attempt(`mailbox ${short(name)}`, "invalid", () => bus.mailbox(name)),
      attempt(`serve ${short(name)}`, "invalid", () => bus.serve(name, { run: () => 1 })),
      attempt(`client ${short(name)}`, "invalid", () => bus.client<{ run(): void }>(name).run()),
      attempt(`append ${short(name)}`, "invalid", () => log.append(name, 1)),
      attempt(`last ${short(name)}`, "invalid", () => log.last(name)),
    ]),
    ...[...bad, ...wildcardPatterns, "two.tokens"].flatMap((name) => [
      attempt(`log ${short(name)}`, "invalid", () => bus.log(name)),
      attempt(`space ${short(name)}`, "invalid", () => bus.space(name)),
      attempt(`blobs ${short(name)}`, "invalid", () => bus.blobs(name)),
      attempt(`group ${short(name)}`, "invalid", () => bus.subscribe("s", { group: name })),
      attempt(`durable ${short(name)}`, "invalid", () => log.subscribe({ durable: name })),
      attempt(`deadLetters ${short(name)}`, "invalid", () => log.deadLetters(name)),
    ]),
    ...bad.flatMap((name) => [
      attempt(`subscribe ${short(name)}`, "invalid", () => bus.subscribe(name)),
      attempt(`read filter ${short(name)}`, "invalid", () => gather(log.read({ filter: name, to: "end" }))),
      attempt(`durable filter ${short(name)}`, "invalid", () => log.subscribe({ durable: "d", filter: name })),
    ]),
  ]);
  expect((await log.info()).count).toBe(0);
  await log.destroy();
}

async function noNames(scene: Scene): Promise<void> {
  const { bus } = scene;
  const values = [undefined, null, 5, {}, ["a"], Symbol("name"), () => "a"] as unknown as string[];
  await refuses(
    scene,
    values.flatMap((value) => [
      attempt(`publish ${String(typeof value)}`, "invalid", () => bus.publish(value, 1)),
      attempt(`subscribe ${String(typeof value)}`, "invalid", () => bus.subscribe(value)),
      attempt(`log ${String(typeof value)}`, "invalid", () => bus.log(value)),
      attempt(`mailbox ${String(typeof value)}`, "invalid", () => bus.mailbox(value)),
      attempt(`space ${String(typeof value)}`, "invalid", () => bus.space(value)),
      attempt(`blobs ${String(typeof value)}`, "invalid", () => bus.blobs(value)),
      attempt(`serve ${String(typeof value)}`, "invalid", () => bus.serve(value, { run: () => 1 })),
      attempt(`client ${String(typeof value)}`, "invalid", () => bus.client<{ run(): void }>(value).run()),
    ]),
  );
}

const badHeaders: readonly unknown[] = [
  { "": "x" },
  { "a:b": "x" },
  { "a b": "x" },
  { "a\r\nb": "x" },
  { "a\0": "x" },
  { größe: "x" },
  { "nats-msg-id": "x" },
  { "Quadrant-Id": "x" },
  { a: "x\r\nb: y" },
  { a: "x\ny" },
  { a: "x\0" },
  { a: "\ud800" },
  { a: 5 },
  { a: undefined },
  "headers",
  null,
];

async function headers(scene: Scene): Promise<void> {
  const { bus } = scene;
  const name = scene.name();
  const [log, box] = [await bus.log(name), await bus.mailbox(name)];
  let called = 0;
  const service = { run: () => ++called };
  scene.own(await scene.other.serve(name, service));
  await refuses(
    scene,
    badHeaders.flatMap((each) => {
      const options = { headers: each as Record<string, string> };
      const what = JSON.stringify(each);
      return [
        attempt(`publish ${what}`, "invalid", () => bus.publish(name, 1, options)),
        attempt(`append ${what}`, "invalid", () => log.append("s", 1, options)),
        attempt(`send ${what}`, "invalid", () => box.send(1, options)),
        attempt(`sendMany ${what}`, "invalid", () => box.sendMany([1], options)),
        attempt(`call ${what}`, "invalid", () => bus.client<typeof service>(name, options).run()),
      ];
    }),
  );
  expect(called).toBe(0);
  expect((await log.info()).count).toBe(0);
  expect((await box.info()).waiting).toBe(0);
  await Promise.all([log.destroy(), box.destroy()]);
}

async function literals(scene: Scene): Promise<void> {
  const root = scene.name();
  const subjects = [
    "a?b",
    "[ab]",
    "a\\b",
    "{a,b}",
    "a+b",
    "#",
    "é",
    "e\u0301",
    "constructor",
    "__proto__",
    "a/b",
    "%41",
  ];
  const heard = await Promise.all(
    subjects.map(async (subject) => collect(scene.own(await scene.bus.subscribe<string>(`${root}.${subject}`)))),
  );
  for (const subject of [...subjects, "aXb", "a", "b", "ab", "A"])
    await scene.other.publish(`${root}.${subject}`, subject);
  for (const [index, subject] of subjects.entries()) {
    await scene.other.publish(`${root}.${subject}`, "marker");
    await heard[index]!.until("the marker", (items) => items.some((message) => message.data === "marker"));
    expect(heard[index]!.items.map((message) => message.data)).toEqual([subject, "marker"]);
    const box = await scene.bus.mailbox(`${root}.${subject}`);
    await box.send(subject);
    const letter = await next(scene.own(await box.receive())[Symbol.asyncIterator]());
    expect(letter.data).toBe(subject);
    await letter.ack();
  }
}

export const badInputClauses: readonly Clause[] = [
  clause("bad-input/names", "what is no name, token or pattern is invalid wherever a name is given", names),
  clause("bad-input/no-string", "what is no string is no name", noNames),
  clause("bad-input/headers", "what is no header is invalid wherever headers are given", headers),
  clause("bad-input/literals", "what other brokers take for wildcards or escapes is a literal", literals),
];
