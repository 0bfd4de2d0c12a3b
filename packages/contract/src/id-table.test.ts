import fc from "fast-check";
import { expect, test } from "vitest";
import { IdTable } from "./id-table.ts";

test("has what a map would have, whatever comes and goes", () => {
  const id = fc.oneof(
    fc.nat(40),
    fc.constantFrom(0, 0xffff_ffff, 0x8000_0000, 2 ** 32, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("set", "set", "delete"), id), { maxLength: 300 }), (steps) => {
      const table = new IdTable<object>();
      const map = new Map<number, object>();
      for (const [step, id] of steps) {
        const value = {};
        if (step === "set") {
          table.set(id, value);
          map.set(id, value);
        } else expect(table.delete(id)).toBe(map.delete(id));
        expect(table.size).toBe(map.size);
        expect(table.get(id)).toBe(map.get(id));
        expect(table.has(id)).toBe(map.has(id));
      }
      expect([...table]).toEqual([...map].sort(([a], [b]) => a - b));
      table.clear();
      expect(table.size).toBe(0);
      expect(table.values()).toEqual([]);
    }),
  );
});

test("grows with what is in it, and forgets that when it is empty", () => {
  const table = new IdTable<{ readonly id: number }>();
  for (let id = 1; id <= 10_000; id++) table.set(id, { id });
  for (let id = 1; id <= 10_000; id++) expect(table.get(id)?.id).toBe(id);
  for (const [id] of table) expect(table.delete(id)).toBe(true);
  expect(table.size).toBe(0);
  expect(table.get(1)).toBeUndefined();
});
