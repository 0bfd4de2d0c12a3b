import { expect, test } from "vitest";
import { letterId } from "./letter-id.ts";

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("ids are UUIDs of version 7 that carry the time", () => {
  const now = Date.now() + 60_000;
  const id = letterId(now);
  expect(id).toMatch(uuidV7);
  expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(now);
});

test("ids rise, within a millisecond, beyond what one holds, and when the clock goes back", () => {
  const now = Date.now() + 120_000;
  const ids = Array.from({ length: 20_000 }, (_, index) => letterId(index < 15_000 ? now : now - 5_000));
  for (const id of ids) expect(id).toMatch(uuidV7);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(ids.toSorted());
});
