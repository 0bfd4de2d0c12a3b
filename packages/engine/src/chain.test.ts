import { expect, test } from "vitest";
import { Chain } from "./chain.ts";

test("a chain keeps its order while links leave from anywhere", () => {
  const chain = new Chain<string>();
  const [a, b, c, d] = ["a", "b", "c", "d"].map((value) => chain.append(value));
  b!.leave();
  expect([...chain]).toEqual(["a", "c", "d"]);
  a!.leave();
  d!.leave();
  d!.leave();
  expect([...chain]).toEqual(["c"]);
  expect(chain.size).toBe(1);
  expect(chain.shift()).toBe("c");
  expect(c!.chain).toBeUndefined();
  expect(chain.shift()).toBeUndefined();
  expect([...chain]).toEqual([]);
});

test("the value that was just given may leave during an iteration", () => {
  const chain = new Chain<number>();
  const links = new Map([1, 2, 3, 4].map((value) => [value, chain.append(value)]));
  const seen: number[] = [];
  for (const value of chain) {
    seen.push(value);
    if (value % 2 === 0) links.get(value)!.leave();
  }
  expect(seen).toEqual([1, 2, 3, 4]);
  expect([...chain]).toEqual([1, 3]);
});
