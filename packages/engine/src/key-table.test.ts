import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyTable } from "./key-table.ts";
import { Resident } from "./resident.ts";

/** All entries with this hash, in no order. */
function entries(table: KeyTable, hash: number): Set<unknown> {
  const found = new Set<unknown>();
  for (let slot = table.first(hash); slot !== -1; slot = table.next(slot)) found.add(table.at(slot));
  return found;
}

test("has what a map of sets would have, whatever comes and goes, however many hashes are alike", () => {
  // Few hashes, and such as meet in a small table.
  const hash = fc.constantFrom(0, 1, 2, 15, 16, 17, 31, 1 << 20, -1, -16, 0x7fff_ffff, -0x8000_0000);
  const step = fc.record({ kind: fc.constantFrom("insert", "insert", "delete", "replace"), hash, which: fc.nat(100) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
      const table = new KeyTable();
      const model = new Map<number, Resident[]>();
      let size = 0;
      for (const { kind, hash, which } of steps) {
        const alike = model.get(hash) ?? [];
        model.set(hash, alike);
        const at = which % Math.max(1, alike.length);
        if (kind === "insert") {
          const made = new Resident("a0:");
          table.insert(hash, made);
          alike.push(made);
          size++;
        } else if (alike.length > 0 && kind === "delete") {
          table.delete(hash, alike[at]!);
          alike.splice(at, 1);
          size--;
        } else if (alike.length > 0) {
          const made = new Resident("a0:");
          let slot = table.first(hash);
          while (table.at(slot) !== alike[at]) slot = table.next(slot);
          table.replace(slot, made);
          alike[at] = made;
        }
        expect(table.size).toBe(size);
        for (const [each, expected] of model) expect(entries(table, each)).toEqual(new Set(expected));
      }
    }),
    { numRuns: 50 },
  );
});

test("deleting what is not there does nothing", () => {
  const table = new KeyTable();
  const inside = new Resident("a0:");
  table.insert(7, inside);
  table.delete(7, new Resident("a0:"));
  table.delete(8, inside);
  expect(table.size).toBe(1);
  expect(table.at(table.first(7))).toBe(inside);
});

test("grows with what is in it, and finds all again when that has gone", () => {
  const table = new KeyTable();
  const made = Array.from({ length: 10_000 }, () => new Resident("a0:"));
  for (const [hash, each] of made.entries()) table.insert(Math.imul(hash, 0x9e37_79b1), each);
  for (const [hash, each] of made.slice(0, 9_990).entries()) table.delete(Math.imul(hash, 0x9e37_79b1), each);
  expect(table.size).toBe(10);
  for (let hash = 0; hash < 10_000; hash++) {
    expect(entries(table, Math.imul(hash, 0x9e37_79b1)).size).toBe(hash < 9_990 ? 0 : 1);
  }
});
