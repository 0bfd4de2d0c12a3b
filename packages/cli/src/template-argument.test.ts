import { compileTemplate, encodeTemplate, encodeTuple, type Tuple } from "@quadrant/contract";
import { describe, expect, test } from "vitest";
import { CommandFailure } from "./failure.ts";
import { parseTemplate, templateHelp } from "./template-argument.ts";

function matches(template: string, tuple: Tuple): boolean {
  return compileTemplate(encodeTemplate(parseTemplate(template))).matches(encodeTuple(tuple));
}

describe("holes", () => {
  test.each<[template: string, yes: Tuple, no: Tuple]>([
    ['["task", "?"]', ["task", null], ["task"]],
    ['["task", "?any"]', ["task", [1]], ["job", 1]],
    ['["?string"]', ["x"], [1]],
    ['["?number"]', [1.5], [1n]],
    ['["?boolean"]', [false], [0]],
    ['["?bigint"]', [1n], [1]],
    ['["?bytes"]', [new Uint8Array([1])], ["AQ=="]],
    ['["?array"]', [[1]], [{ a: 1 }]],
    ['["?object"]', [{ a: 1 }], [[1]]],
    ['["?1..5"]', [5], [5.5]],
    ['["?-1.5..-.5"]', [-1], [0]],
    ['["?1.."]', [1e300], [0]],
    ['["?..5"]', [-1e300], [6]],
    ['["?1e3..2e3"]', [1500], [1]],
    ['["?1n..5n"]', [3n], [3]],
    [`["?'a'..'m'"]`, ["hello"], ["world"]],
    ['["?order-*"]', ["order-7"], ["orders"]],
    ['["?*"]', [""], [1]],
    ['[{"?oneOf": [1, "a", {"$bigint": "2"}]}]', [2n], [2]],
    ['[{"?between": [{"$bigint": "1"}, {"$bigint": "3"}]}]', [2n], [4n]],
    ['[{"?between": ["a..", "b.."]}]', ["a.x"], ["c"]],
    ['[{"?prefix": "?x"}]', ["?xy"], ["x"]],
    ['{"?partial": {"kind": "task"}}', { kind: "task", n: 1 }, { kind: "job" }],
    ['[{"?partial": {"n": "?1..2"}}]', [{ n: 2, m: 1 }], [{ n: 3 }]],
    ['{"kind": "task", "n": "?number"}', { kind: "task", n: 1 }, { kind: "task", n: 1, m: 2 }],
    ['[["deep", "?"]]', [["deep", 1]], [["deep"]]],
  ])("%s", (template, yes, no) => {
    expect(matches(template, yes)).toBe(true);
    expect(matches(template, no)).toBe(false);
  });
});

describe("actuals that look like holes", () => {
  test.each<[template: string, tuple: Tuple]>([
    ['["??"]', ["?"]],
    ['["??string"]', ["?string"]],
    ['["???x"]', ["??x"]],
    ['[{"??oneOf": 1}]', [{ "?oneOf": 1 }]],
    ['[{"?oneOf": 1, "b": 2}]', [{ "?oneOf": 1, b: 2 }]],
    ['[{"$bigint": "12"}]', [12n]],
    ['[{"$$bigint": "12"}]', [{ $bigint: "12" }]],
    ['[{"$bytes": "aGk="}]', [new Uint8Array([104, 105])]],
    ['[{"__proto__": 1}]', [JSON.parse('{"__proto__": 1}')]],
    ["[null]", [null]],
  ])("%s", (template, tuple) => {
    expect(matches(template, tuple)).toBe(true);
  });
});

test.each([
  "task",
  '"task"',
  "1",
  "null",
  '["?strings"]',
  '["?5..1"]',
  '["?2n..1n"]',
  `["?'b'..'a'"]`,
  '[{"?between": [2, 1]}]',
  '["?.."]',
  '["?1..5n"]',
  '[{"?oneOf": 1}]',
  '[{"?between": [1]}]',
  '[{"?prefix": 1}]',
  '[{"?partial": []}]',
  '[{"?nothing": 1}]',
  '[{"$bigint": "x"}]',
])("%s is refused, with the way to write it", (text) => {
  expect(() => parseTemplate(text)).toThrow(CommandFailure);
});

test("bounds of different kinds are refused", () => {
  expect(() => parseTemplate('[{"?between": [1, "a"]}]')).toThrow(/two numbers/);
});

test("every template of the help is one", () => {
  for (const [text] of templateHelp.matchAll(/"\?[^"]*"(?=[ \n,]|$)|\{"\?[^}]*\}?\}/g)) {
    expect(() => parseTemplate(`[${text}]`), text).not.toThrow();
  }
});
