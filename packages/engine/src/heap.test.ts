import fc from "fast-check";
import { expect, test } from "vitest";
import { Heap } from "./heap.ts";

interface Item {
  slot: number;
  order: number;
}

const operation = fc.oneof(
  fc.record({ kind: fc.constant("push" as const), order: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ kind: fc.constant("pop" as const), order: fc.constant(0) }),
  fc.record({ kind: fc.constant("remove" as const), order: fc.nat() }),
  fc.record({ kind: fc.constant("reorder" as const), order: fc.integer({ min: 0, max: 50 }) }),
);

test("a heap behaves like a sorted list under pushes, pops, removals and changes of order", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200, size: "max" }), (operations) => {
      const heap = new Heap<Item>((a, b) => a.order < b.order);
      const items: Item[] = [];
      for (const { kind, order } of operations) {
        if (kind === "push") {
          const item = { slot: -1, order };
          items.push(item);
          heap.push(item);
        } else if (kind === "pop") {
          const popped = heap.pop();
          expect(popped?.order).toBe(items.length === 0 ? undefined : Math.min(...items.map((item) => item.order)));
          if (popped !== undefined) items.splice(items.indexOf(popped), 1);
        } else if (items.length > 0) {
          const item = items[order % items.length]!;
          if (kind === "remove") {
            heap.remove(item);
            items.splice(items.indexOf(item), 1);
            expect(item.slot).toBe(-1);
          } else {
            item.order = (item.order * 7 + order) % 51;
            heap.reorder(item);
          }
        }
        expect(heap.size).toBe(items.length);
        expect(heap.first()?.order).toBe(items.length === 0 ? undefined : Math.min(...items.map((item) => item.order)));
      }
    }),
  );
});

test("a cleared heap is empty and its items are in none", () => {
  const heap = new Heap<Item>((a, b) => a.order < b.order);
  const item = { slot: -1, order: 1 };
  heap.push(item);
  heap.clear();
  expect(heap.size).toBe(0);
  expect(item.slot).toBe(-1);
});
