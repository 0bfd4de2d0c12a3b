import { expect, test } from "vitest";
import { slotOf } from "./slots.ts";

test.each([
  // As CLUSTER KEYSLOT has them.
  ["123456789", 12_739],
  ["foo", 12_182],
  ["{foo}bar", 12_182],
  ["{}foo", 9_500],
  ["q:m:{größe}", slotOf("größe")],
  ["q:m:{a}:b", slotOf("a")],
])("the slot of %s is %i", (key, slot) => {
  expect(slotOf(key)).toBe(slot);
});
