import { any, between, type Tuple } from "@quadrant/contract";
import { expect } from "vitest";
import { attempt, refuses } from "./bad-input.ts";
import { type Clause, clause } from "./clause.ts";
import { collect, next } from "./collected.ts";
import type { Scene } from "./scene.ts";

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

function cycle(): unknown {
  const value: Record<string, unknown> = {};
  value.self = { value };
  return value;
}

const uncarriable: readonly (readonly [string, () => unknown])[] = [
  ["undefined", () => undefined],
  ["a function", () => () => 1],
  ["a symbol", () => Symbol("s")],
  ["a bigint", () => 1n],
  ["a bigint inside", () => ({ n: [1n] })],
  ["a cycle", cycle],
  ["65 levels", () => nested(65)],
  ["100 000 levels", () => nested(100_000)],
  [
    "a getter that throws",
    () => ({
      get x() {
        throw new Error("no");
      },
    }),
  ],
  [
    "a toJSON that throws",
    () => ({
      toJSON() {
        throw new Error("no");
      },
    }),
  ],
  [
    "a proxy that throws",
    () =>
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error("no");
          },
        },
      ),
  ],
];

async function bodies(scene: Scene): Promise<void> {
  const { bus } = scene;
  const name = scene.name();
  const [log, box] = [await bus.log(name), await bus.mailbox(name)];
  let called = 0;
  const service = { run: (_: unknown) => ++called };
  scene.own(await scene.other.serve(name, service));
  await refuses(
    scene,
    uncarriable.flatMap(([what, make]) => [
      attempt(`publish ${what}`, "codec", () => bus.publish(name, make())),
      attempt(`append ${what}`, "codec", () => log.append("s", make())),
      attempt(`send ${what}`, "codec", () => box.send(make())),
      attempt(`sendMany ${what}`, "codec", () => box.sendMany([1, make()])),
      // As an argument, undefined is null.
      ...(make() === undefined || typeof make() === "function" || typeof make() === "symbol"
        ? []
        : [attempt(`call with ${what}`, "codec", () => bus.client<typeof service>(name).run(make()))]),
    ]),
  );
  expect(called).toBe(0);
  expect((await log.info()).count).toBe(0);
  expect((await box.info()).waiting).toBe(0);
  await Promise.all([log.destroy(), box.destroy()]);
}

async function documented(scene: Scene): Promise<void> {
  const subject = scene.name();
  const messages = scene.own(await scene.other.subscribe(subject))[Symbol.asyncIterator]();
  const cases: readonly (readonly [unknown, unknown])[] = [
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
    [-0, 0],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [{ a: undefined, b: () => 1, c: 1 }, { c: 1 }],
    [[undefined], [null]],
    [new Map([[1, 2]]), {}],
  ];
  for (const [sent, arrives] of cases) {
    await scene.bus.publish(subject, sent);
    expect((await next(messages)).data).toEqual(arrives);
  }
}

async function deepBytes(scene: Scene): Promise<void> {
  const subject = scene.name();
  const deep = new TextEncoder().encode("[".repeat(1_000_000) + "]".repeat(1_000_000));
  const sender = await scene.connect({
    codec: { contentType: "application/json", encode: () => deep, decode: () => undefined },
  });
  const codes: string[] = [];
  const received = collect(
    scene.own(await scene.other.subscribe(subject, { invalid: (_, error) => codes.push(error.code) })),
  );
  await sender.publish(subject, "deep");
  await sender.flush();
  await scene.bus.publish(subject, "good");
  await received.atLeast(1);
  expect(received.items.map((message) => message.data)).toEqual(["good"]);
  expect(codes).toEqual(["codec"]);
}

async function prototypeKeys(scene: Scene): Promise<void> {
  const subject = scene.name();
  const messages = scene.own(await scene.other.subscribe<object>(subject))[Symbol.asyncIterator]();
  const text = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":"x"}';
  await scene.bus.publish(subject, JSON.parse(text));
  const { data } = await next(messages);
  expect(JSON.stringify(data)).toBe(text);
  expect(Object.hasOwn(data, "__proto__")).toBe(true);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
  const space = await scene.bus.space(scene.name());
  const tuple = JSON.parse('{"__proto__":{"polluted":1},"constructor":1}') as Tuple;
  await space.outMany([tuple]);
  const taken = await space.in(tuple);
  expect(JSON.stringify(taken, Object.keys(taken).toSorted())).toBe(
    JSON.stringify(tuple, Object.keys(tuple).toSorted()),
  );
  expect(Object.hasOwn(taken, "__proto__")).toBe(true);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
}

async function tuples(scene: Scene): Promise<void> {
  const space = await scene.bus.space(scene.name());
  const uncarried: readonly (readonly [string, unknown])[] = [
    ["undefined", [undefined]],
    ["a function", [() => 1]],
    ["a symbol", [Symbol("s")]],
    ["a date", [new Date(0)]],
    ["a map", [new Map()]],
    ["a cycle", [cycle()]],
    ["100 levels", nested(100)],
    ["a lone surrogate", ["\ud800"]],
    ["a symbol key", [{ [Symbol("k")]: 1 }]],
  ];
  const formals: readonly (readonly [string, unknown])[] = [
    ["any", [any]],
    ["String", [String]],
    ["between", [between(1, 2)]],
    ["a formal inside", [{ a: [Number] }]],
  ];
  const noTuples: readonly (readonly [string, unknown])[] = [
    ["a string", "t"],
    ["null", null],
    ["nothing", undefined],
    ["bytes", new Uint8Array(1)],
  ];
  const out =
    (value: unknown): (() => unknown) =>
    () =>
      space.out(value as readonly []);
  const many =
    (value: unknown): (() => unknown) =>
    () =>
      space.outMany([["fine"], value as Tuple]);
  await refuses(scene, [
    ...uncarried.flatMap(([what, value]) => [
      attempt(`out ${what}`, "codec", out(value)),
      attempt(`outMany ${what}`, "codec", many(value)),
      attempt(`in ${what}`, "codec", () => space.in(value as readonly [], { timeoutMs: 0 })),
    ]),
    ...formals.flatMap(([what, value]) => [
      attempt(`out ${what}`, "invalid", out(value)),
      attempt(`outMany ${what}`, "invalid", many(value)),
    ]),
    ...noTuples.flatMap(([what, value]) => [
      attempt(`out ${what}`, "invalid", out(value)),
      attempt(`outMany ${what}`, "invalid", many(value)),
      ...(["in", "rd", "inp", "rdp", "rdAll", "count", "claim"] as const).map((take) =>
        attempt(`${take} ${what}`, "invalid", () => space[take](value as readonly [])),
      ),
    ]),
    attempt("outMany of no list", "invalid", () => space.outMany("tuples" as never)),
  ]);
  expect(await space.count([any])).toBe(0);
  await space.destroy();
}

export const badValueClauses: readonly Clause[] = [
  clause("bad-value/bodies", "what JSON cannot carry is codec wherever a body is given", bodies),
  clause("bad-value/documented", "what JSON carries differently arrives as documented", documented),
  clause("bad-value/depth", "a body of a million brackets is refused, and the next one is delivered", deepBytes),
  clause("bad-value/prototype", "__proto__ and its kind travel as data and touch nothing", prototypeKeys),
  clause("bad-value/tuples", "what is no field, tuple or template is refused", tuples),
];
