import { bytes, json, msgpack } from "@quadrant/bus";
import { type Bus, type Codec, features, maxHeaderSize } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { gather, next } from "./collected.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

/** Sends a value by every way that carries bodies, and returns what came out at the other connection. */
async function everyWay(scene: Scene, from: Bus, to: Bus, value: unknown): Promise<readonly unknown[]> {
  const name = scene.name();
  const messages = scene.own(await to.subscribe(name))[Symbol.asyncIterator]();
  await from.publish(name, value);
  const message = await next(messages);
  await (await from.log(name)).append("s", value);
  const log = await to.log(name);
  const [entry] = await gather(log.read({ to: "end" }));
  await log.destroy();
  const box = await to.mailbox(name);
  await (await from.mailbox(name)).send(value);
  const letter = await next(scene.own(await box.receive())[Symbol.asyncIterator]());
  await letter.ack();
  return [message.data, entry?.data, letter.data];
}

async function roundTrips(scene: Scene, codec: Codec, values: readonly unknown[]): Promise<void> {
  const [from, to] = [await scene.connect({ codec }), await scene.connect({ codec })];
  for (const value of values) {
    for (const arrived of await everyWay(scene, from, to, value)) expect(arrived).toEqual(value);
  }
}

const jsonValues: readonly unknown[] = [
  null,
  true,
  0,
  -1.5e300,
  "",
  "größe 🎉\u0000\r\n",
  [],
  {},
  { a: [1, { b: null }], "": 1, constructor: 2, toString: "x" },
  JSON.parse('{"__proto__":{"polluted":true}}'),
];

async function codecsMix(scene: Scene): Promise<void> {
  const codecs: readonly [Codec, unknown][] = [
    [json, { a: 1 }],
    [bytes, new Uint8Array([0, 255])],
    [msgpack, { at: new Date(5), n: 5n }],
  ];
  const buses = await Promise.all(codecs.map(([codec]) => scene.connect({ codec })));
  for (const [index, [, value]] of codecs.entries()) {
    for (const to of buses) {
      for (const arrived of await everyWay(scene, buses[index]!, to, value)) expect(arrived).toEqual(value);
    }
  }
}

async function msgpackCalls(scene: Scene): Promise<void> {
  const address = scene.name();
  const service = { echo: (value: unknown) => value };
  const [serving, calling] = [await scene.connect({ codec: msgpack }), await scene.connect({ codec: msgpack })];
  await serving.serve(address, service);
  const value = { at: new Date(5), n: 5n, map: new Map([[1, new Set(["x"])]]), body: new Uint8Array([1]) };
  expect(await calling.client<typeof service>(address).echo(value)).toEqual(value);
  expect(await scene.bus.client<typeof service>(address).echo([1, "a"])).toEqual([1, "a"]);
}

async function sizes(scene: Scene): Promise<void> {
  const [from, to] = [await scene.connect({ codec: bytes }), await scene.connect({ codec: bytes })];
  for (const size of [0, 1, 65_536, 1_048_576]) {
    const body = new Uint8Array(size).map((_, index) => index % 251);
    for (const arrived of await everyWay(scene, from, to, body)) {
      expect(arrived).toBeInstanceOf(Uint8Array);
      expect(Buffer.compare(arrived as Uint8Array, body)).toBe(0);
    }
  }
  const [space, same] = [await from.space(scene.name()), await to.space(scene.name())];
  const text = "ß".repeat(500_000);
  await space.out(["big", text]);
  expect((await space.in(["big", String]))[1] === text).toBe(true);
  expect(await same.inp(["big", String])).toBeUndefined();
}

async function tooLarge(scene: Scene): Promise<void> {
  const name = scene.name();
  const bus = await scene.connect({ maxPayloadBytes: 1_000 });
  const messages = scene.own(await scene.other.subscribe<string>(name))[Symbol.asyncIterator]();
  const [log, box, space] = [await bus.log<string>(name), await bus.mailbox<string>(name), await bus.space(name)];
  const seen: string[] = [];
  const service = { echo: (text: string) => seen.push(text) };
  scene.own(await scene.other.serve(name, service));
  const stub = bus.client<typeof service>(name);
  const large = "x".repeat(1_000);
  await rejection(bus.publish(name, large), "too-large");
  await rejection(log.append("s", large), "too-large");
  await rejection(box.send(large), "too-large");
  await rejection(box.sendMany(["small", large]), "too-large");
  await rejection(space.out([large]), "too-large");
  await rejection(space.outMany([["small"], [large]]), "too-large");
  await rejection(stub.echo(large), "too-large");
  await bus.publish(name, "marker");
  expect((await next(messages)).data).toBe("marker");
  expect((await log.info()).count).toBe(0);
  // sendMany sends nothing where one element cannot be sent.
  expect((await box.info()).waiting).toBe(0);
  expect(await space.count([String])).toBe(0);
  await stub.echo("marker");
  expect(seen).toEqual(["marker"]);
  await log.destroy();
}

async function headerBounds(scene: Scene): Promise<void> {
  const subject = scene.name();
  const messages = scene.own(await scene.other.subscribe(subject))[Symbol.asyncIterator]();
  const headers = { "x-!#$%&'*+.^_`|~": " spaces kept \t", empty: "", "x-long": "ü".repeat(8_000), __proto__x: "1" };
  await scene.bus.publish(subject, 1, { headers });
  expect((await next(messages)).headers).toEqual(headers);
  await rejection(scene.bus.publish(subject, 2, { headers: { x: "x".repeat(maxHeaderSize) } }), "too-large");
  await scene.bus.publish(subject, 3, { headers: {} });
  const message = await next(messages);
  expect([message.data, message.headers]).toEqual([3, {}]);
}

async function lists(scene: Scene): Promise<void> {
  const name = scene.name();
  for (const kind of ["mailbox", "log", "space", "blobs"] as const) {
    expect(await scene.bus.list(kind)).not.toContain(name);
  }
  const blobs = `${name}-blobs`;
  const store = await scene.bus.blobs(blobs);
  const [box, log, space] = [
    await scene.bus.mailbox(`${name}.box`),
    await scene.bus.log(`${name}-log`),
    await scene.bus.space(`${name}-space`),
  ];
  expect((await scene.other.list("mailbox")).filter((each) => each.includes(name))).toEqual([box.address]);
  expect((await scene.other.list("log")).filter((each) => each.includes(name))).toEqual([log.name]);
  expect((await scene.other.list("space")).filter((each) => each.includes(name))).toEqual([space.name]);
  expect((await scene.other.list("blobs")).filter((each) => each.includes(name))).toEqual([blobs]);
  await Promise.all([box.destroy(), log.destroy(), space.destroy(), store.destroy()]);
}

async function namesApart(scene: Scene): Promise<void> {
  const name = scene.name();
  const messages = scene.own(await scene.bus.subscribe(name))[Symbol.asyncIterator]();
  const box = await scene.bus.mailbox(name);
  const log = await scene.bus.log(name);
  const space = await scene.bus.space(name);
  const store = await scene.bus.blobs(name);
  const service = { run: () => "called" };
  scene.own(await scene.bus.serve(name, service));
  await store.put(name, new Uint8Array(1));
  await box.send("letter");
  await log.append(name, "entry");
  await space.out(["tuple"]);
  expect(await scene.other.client<typeof service>(name).run()).toBe("called");
  await scene.other.publish(name, "message");
  expect((await next(messages)).data).toBe("message");
  expect((await box.info()).waiting).toBe(1);
  expect((await log.info()).count).toBe(1);
  expect(await space.count([String])).toBe(1);
  expect(await store.list()).toEqual([{ name, bytes: 1 }]);
  await Promise.all([box.destroy(), log.destroy(), space.destroy(), store.destroy()]);
}

async function supports(scene: Scene): Promise<void> {
  const { support } = scene.bus;
  for (const feature of features) {
    expect(["native", "emulated", "refused"], feature).toContain(support[feature]?.how);
    if (support[feature]!.how !== "native") expect(support[feature]!.note, feature).not.toBe("");
  }
  const space = await scene.bus.space(scene.name());
  const refusable: Readonly<Record<string, () => Promise<unknown>>> = {
    "space.transaction": () => scene.bus.transaction(),
    "space.watch": () => space.watch(["t"]),
    "space.collect": () => space.collect(["t"], space),
    "space.inAll": () => space.inAll([["t"]]),
    "space.explain": () => space.explain(["t"]),
  };
  for (const [feature, use] of Object.entries(refusable)) {
    if (support[feature]!.how === "refused") await rejection(use(), "unsupported");
  }
}

export const busClauses: readonly Clause[] = [
  clause("bus/json", "what JSON carries arrives by every way", (scene) => roundTrips(scene, json, jsonValues)),
  clause("bus/bytes", "bytes arrive by every way", (scene) =>
    roundTrips(scene, bytes, [new Uint8Array(0), Uint8Array.from(range(256))]),
  ),
  clause("bus/msgpack", "dates, bigints, bytes, maps and sets arrive by every way", (scene) =>
    roundTrips(scene, msgpack, [
      ...jsonValues.slice(0, -2),
      new Date(1),
      2n ** 63n,
      new Uint8Array([1]),
      new Map([["a", new Set([1])]]),
    ]),
  ),
  clause("bus/codecs-mix", "a body is decoded by its own content type, whatever the receiver's codec", codecsMix),
  clause("bus/msgpack-calls", "arguments and results travel in the caller's and the server's codec", msgpackCalls),
  clause("bus/sizes", "bodies of 0 bytes to 1 MiB arrive unaltered", sizes),
  clause("bus/too-large", "over maxPayloadBytes is too-large, and nothing is sent", tooLarge),
  clause("bus/headers", "headers arrive as given, up to their bound", headerBounds),
  clause("bus/list", "list names the mailboxes, logs, spaces and blob stores there are", lists),
  clause(
    "bus/names-apart",
    "a subject, mailbox, log, space, blob store and server of one name do not meet",
    namesApart,
  ),
  clause("bus/support", "support answers for every feature; what it refuses is unsupported at once", supports),
];
