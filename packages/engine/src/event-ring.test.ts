import { expect, test } from "vitest";
import { EventRing } from "./event-ring.ts";

function filled(limit: number, maxLength: number, texts: readonly string[]): EventRing {
  const ring = new EventRing(limit, maxLength, 0);
  for (const [index, text] of texts.entries()) ring.push(index % 4, text, text.length);
  return ring;
}

function held(ring: EventRing): string[] {
  return Array.from({ length: ring.count }, (_, at) => `${ring.kind(ring.first + at)} ${ring.text(ring.first + at)}`);
}

test.each([1, 3, 64, 65, 100, 1_000])("the last %i of many events are held, in their order", (limit) => {
  for (const count of [0, 1, limit - 1, limit, limit + 1, 3 * limit + 7]) {
    const texts = Array.from({ length: count }, (_, n) => `t${n}`);
    const ring = filled(limit, 1e9, texts);
    expect(ring.last).toBe(count);
    expect(held(ring)).toEqual(texts.map((text, n) => `${n % 4} ${text}`).slice(-limit));
  }
});

test("long tuples leave room for fewer, and one that is too long for all is held alone", () => {
  const ring = filled(1_000, 10, ["aaaa", "bbbb", "cc", "d"]);
  expect(held(ring)).toEqual(["1 bbbb", "2 cc", "3 d"]);
  ring.push(0, "x".repeat(50), 50);
  expect(ring.count).toBe(1);
  expect(ring.first).toBe(5);
  ring.push(1, "e", 1);
  expect(held(ring)).toEqual(["1 e"]);
});

test("numbers go on from where they begin, however large", () => {
  const before = 1_800_000_000_000_000;
  const ring = new EventRing(2, 100, before);
  for (const text of ["a", "b", "c"]) ring.push(0, text, 1);
  expect(ring.first).toBe(before + 2);
  expect(ring.text(before + 3)).toBe("c");
});
