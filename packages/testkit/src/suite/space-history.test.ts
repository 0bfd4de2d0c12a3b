import { expect, it } from "vitest";
import { faultOf } from "./space-history.ts";

type History = Parameters<typeof faultOf>[0];
const put = { kind: "out", began: 10, ended: 20, found: true } as const;
const take = { kind: "in", began: 30, ended: 40, found: true } as const;

const sound: readonly History[] = [
  [put],
  [put, take],
  [put, { kind: "inp", began: 15, ended: 17, found: true }],
  [put, take, { kind: "rd", began: 12, ended: 39, found: true }],
  [put, take, { kind: "rdp", began: 15, ended: 35, found: false }],
  [put, take, { kind: "rdp", began: 35, ended: 36, found: true }],
  [put, take, { kind: "rdp", began: 41, ended: 42, found: false }],
  [put, { kind: "inp", began: 1, ended: 9, found: false }],
  [put, { kind: "in", began: 25, ended: 30, found: "unknown" }, { kind: "rdp", began: 50, ended: 51, found: false }],
  [put, { kind: "in", began: 25, ended: 30, found: "unknown" }, { kind: "rdp", began: 50, ended: 51, found: true }],
];

const unsound: readonly (readonly [string, History])[] = [
  ["taken 2 times", [put, take, { kind: "inp", began: 30, ended: 40, found: true }]],
  ["taken before", [put, { kind: "inp", began: 1, ended: 9, found: true }]],
  ["read before", [put, { kind: "rdp", began: 1, ended: 9, found: true }]],
  ["read after", [put, take, { kind: "rd", began: 41, ended: 42, found: true }]],
  ["missed by inp", [put, { kind: "inp", began: 21, ended: 22, found: false }]],
  [
    "missed by inp",
    [put, { kind: "in", began: 25, ended: 30, found: "unknown" }, { kind: "inp", began: 22, ended: 23, found: false }],
  ],
  ["missed by rdp", [put, take, { kind: "rdp", began: 21, ended: 29, found: false }]],
];

it.each(sound.map((history) => [history] as const))("a linearizable history has no fault: %j", (history) => {
  expect(faultOf(history)).toBeUndefined();
});

it.each(unsound)("one that is not is found: %s", (fault, history) => {
  expect(faultOf(history)).toContain(fault);
});
