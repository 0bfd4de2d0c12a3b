import { inspect } from "node:util";
import {
  any,
  between,
  type Field,
  type Hole,
  oneOf,
  partial,
  prefix,
  type Template,
  type Tuple,
} from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

interface Row {
  readonly template: Template;
  readonly matching: readonly Tuple[];
  readonly other: readonly Tuple[];
}

const view = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);

const table: readonly Row[] = [
  { template: ["a", 1], matching: [["a", 1]], other: [["a", 2], ["b", 1], ["a"], ["a", 1, 1], ["a", "1"], ["a", 1n]] },
  { template: [Number.NaN], matching: [[Number.NaN]], other: [[0], ["NaN"], [null]] },
  { template: [-0], matching: [[0], [-0]], other: [[0n], ["0"], ["-0"], [false]] },
  { template: [0], matching: [[-0], [0]], other: [[null], [""]] },
  { template: [1n], matching: [[1n]], other: [[1], ["1n"]] },
  {
    template: [123456789012345678901234567890n],
    matching: [[123456789012345678901234567890n]],
    other: [[1.2345678901234568e29]],
  },
  {
    template: [Number.POSITIVE_INFINITY],
    matching: [[Number.POSITIVE_INFINITY]],
    other: [[Number.NEGATIVE_INFINITY], ["Infinity"]],
  },
  { template: [null], matching: [[null]], other: [[0], [""], [false], ["null"], [{}]] },
  { template: [true], matching: [[true]], other: [[false], [1], ["true"]] },
  { template: [""], matching: [[""]], other: [[null], [" "]] },
  { template: ["é"], matching: [["é"]], other: [["e\u0301"]] },
  { template: ['🎉\u0000\r\n"\\'], matching: [['🎉\u0000\r\n"\\']], other: [["🎉"]] },
  {
    template: [new Uint8Array([1, 2, 3])],
    matching: [[view], [Buffer.from([1, 2, 3])]],
    other: [[new Uint8Array([1, 2])], [[1, 2, 3]], ["AQID"]],
  },
  { template: [new Uint8Array(0)], matching: [[new Uint8Array(0)]], other: [[""], [[]]] },
  { template: [], matching: [[]], other: [[null], [[]]] },
  {
    template: [[1, [2, { a: 3 }]]],
    matching: [[[1, [2, { a: 3 }]]]],
    other: [[[1, [2, { a: 4 }]]], [[1, [2, { a: 3, b: 3 }]]], [[1, 2, { a: 3 }]]],
  },
  { template: [{ a: 1, b: [2] }], matching: [[{ b: [2], a: 1 }]], other: [[{ a: 1 }], [{ a: 1, b: [2], c: 3 }]] },
  { template: [any], matching: [[null], [1], [1n], ["s"], [[1]], [{ a: 1 }], [view], [false]], other: [[], [1, 2]] },
  { template: [String], matching: [["s"], [""]], other: [[1], [null], [["s"]]] },
  { template: [Number], matching: [[1], [Number.NaN], [-0.5]], other: [[1n], ["1"], [null]] },
  { template: [Boolean], matching: [[true], [false]], other: [[0], [null], ["true"]] },
  { template: [BigInt], matching: [[0n], [-5n]], other: [[0], ["0"]] },
  { template: [Uint8Array], matching: [[view], [new Uint8Array(0)]], other: [["b"], [[1]]] },
  { template: [Array], matching: [[[]], [[1, "a"]]], other: [[{}], [view], ["a"]] },
  { template: [Object], matching: [[{}], [{ a: 1 }]], other: [[[]], [null], [view]] },
  {
    template: [between(1, 3)],
    matching: [[1], [2.5], [3]],
    other: [[0.999], [3.001], [2n], ["2"], [Number.NaN], [null]],
  },
  { template: [between(1n, 3n)], matching: [[1n], [3n]], other: [[2], [4n]] },
  { template: [between("b", "d")], matching: [["b"], ["c"], ["cz"], ["d"]], other: [["a"], ["da"], ["B"], [2]] },
  { template: [oneOf("a", 1, null, [2])], matching: [["a"], [1], [null], [[2]]], other: [["b"], [1n], [2], [[3]]] },
  { template: [prefix("job.")], matching: [["job."], ["job.1"]], other: [["job"], ["Job.1"], [1]] },
  { template: [prefix("")], matching: [[""], ["x"]], other: [[1]] },
  { template: [[String, any]], matching: [[["a", 1]]], other: [[["a"]], [[1, "a"]]] },
  { template: [{ a: Number }], matching: [[{ a: 1 }]], other: [[{ a: "1" }], [{ a: 1, b: 1 }], [{}]] },
  {
    template: [partial({ a: Number })],
    matching: [[{ a: 1 }], [{ a: 1, b: 1 }]],
    other: [[{ a: "1", b: 1 }], [{ b: 1 }], [[1]]],
  },
  {
    template: { kind: "job", n: Number },
    matching: [{ n: 1, kind: "job" }],
    other: [{ kind: "job" }, { kind: "job", n: 1, x: 1 }, { kind: "work", n: 1 }, ["job", 1]],
  },
  {
    template: partial({ kind: "job" }),
    matching: [{ kind: "job" }, { kind: "job", n: 1 }],
    other: [{ n: 1 }, { kind: "work" }, ["job"]],
  },
  { template: partial({}), matching: [{}, { a: 1 }], other: [[], ["a"]] },
  { template: {}, matching: [{}], other: [[], { a: 1 }] },
  {
    template: Object.fromEntries([
      ["__proto__x", 1],
      ["constructor", any],
    ]),
    matching: [JSON.parse(`{"constructor":2,"__proto__x":1}`)],
    other: [{ __proto__x: 1 }],
  },
];

async function matchesTheTable(scene: Scene): Promise<void> {
  const name = scene.name();
  const [writing, reading] = [await scene.bus.space(name), await scene.other.space(name)];
  for (const { template, matching, other } of table) {
    await writing.outMany([...other, ...matching]);
    const found = await reading.rdAll(template);
    expect(found, label(template)).toEqual(matching.map(plain));
    expect(await reading.count(template), label(template)).toBe(matching.length);
    expect(await reading.rdp(template), label(template)).toEqual(plain(matching[0]!));
    for (const tuple of matching) expect(await reading.inp(template), label(template)).toEqual(plain(tuple));
    expect(await reading.inp(template), label(template)).toBeUndefined();
    for (const tuple of other) expect(await reading.inp(tuple), label(tuple)).toBeDefined();
  }
  expect(await reading.count([any])).toBe(0);
}

/** As it comes back: -0 is 0, a Buffer or a view is bytes of its own. */
function plain(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}

/** For failure messages. */
function label(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: Number.POSITIVE_INFINITY });
}

async function everyWildcard(scene: Scene): Promise<void> {
  const space = await scene.bus.space(scene.name());
  const tuple: readonly Field[] = ["a", 1, true, null];
  await space.out(tuple);
  for (const mask of range(16)) {
    const template = tuple.map((field, index): Hole => ((mask >> index) & 1 ? any : field));
    expect(await space.rdp(template), `mask ${mask}`).toEqual(tuple);
    for (const index of range(4)) {
      if ((mask >> index) & 1) continue;
      const different = template.with(index, "different");
      expect(await space.rdp(different), `mask ${mask}, field ${index}`).toBeUndefined();
    }
  }
}

async function copies(scene: Scene): Promise<void> {
  const space = await scene.bus.space(scene.name());
  const bytes = new Uint8Array([1]);
  const inner = { list: [1] };
  const writing = space.out(["t", inner, bytes]);
  inner.list.push(2);
  bytes[0] = 2;
  await writing;
  const read = await space.rd(["t", any, any]);
  expect(read).toEqual(["t", { list: [1] }, new Uint8Array([1])]);
  (read[1] as { list: number[] }).list.push(3);
  (read[2] as Uint8Array)[0] = 3;
  expect(await space.in(["t", any, any])).toEqual(["t", { list: [1] }, new Uint8Array([1])]);
}

async function scans(scene: Scene): Promise<void> {
  const space = await scene.bus.space(scene.name(), { maxScan: 10 });
  await space.outMany(range(100).map((n) => [n]));
  await rejection(space.inp([between(1_000, 2_000)]), "overflow");
  expect(await space.inp([42])).toEqual([42]);
  expect(await space.rdp([Number])).toEqual([0]);
  expect(await space.count([7])).toBe(1);
}

export const spaceMatchingClauses: readonly Clause[] = [
  clause("matching/table", "a template matches what the table says, before and after the network", matchesTheTable),
  clause(
    "matching/wildcards",
    "every combination of wildcards matches, every single difference does not",
    everyWildcard,
  ),
  clause("matching/copies", "tuples are copies: the writer's, the space's, the reader's", copies),
  clause("matching/max-scan", "a template that no index serves scans at most maxScan tuples", scans),
];
