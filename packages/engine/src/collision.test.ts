/** An index whose hashes say next to nothing: what it finds must not depend on them. */
import { any, between, compileTemplate, partial } from "@quadrant/contract";
import { expect, test, vi } from "vitest";
import { Resident } from "./resident.ts";
import { startTrial, template, tuple } from "./trial.ts";
import { TupleIndex } from "./tuple-index.ts";

vi.mock("./hash.ts", () => ({
  emptyHash: 0,
  // Two values, so that some keys meet and some do not.
  hashOn: (before: number, text: string, start: number, end: number) =>
    (before + text.charCodeAt(end - 1) + (end - start)) % 2,
}));

test("tuples whose keys have one hash are told apart", async () => {
  const { session } = startTrial();
  const { tuples } = session;
  const keys = Array.from({ length: 40 }, (_, key) => key);
  expect(await tuples.takeNow("s", template(["key", 0, String]))).toBeUndefined();
  for (const round of [1, 2]) {
    for (const key of keys) await tuples.out("s", tuple(["key", key, `${round}`]), undefined, {});
  }
  for (const key of keys) {
    expect(await tuples.count("s", template(["key", key, String]))).toBe(2);
    expect(await tuples.readNow("s", template(["key", key, String]))).toBe(tuple(["key", key, "1"]));
  }
  expect(await tuples.takeNow("s", template(["key", 40, String]))).toBeUndefined();
  // In another order than they came.
  for (const key of keys.toSorted((a, b) => (a % 7) - (b % 7))) {
    expect(await tuples.takeNow("s", template(["key", key, String]))).toBe(tuple(["key", key, "1"]));
    expect(await tuples.takeNow("s", template(["key", key, "2"]))).toBe(tuple(["key", key, "2"]));
    expect(await tuples.takeNow("s", template(["key", key, any]))).toBeUndefined();
  }
  expect(await tuples.count("s", template([any, any, any]))).toBe(0);
});

test("records whose names have one hash are told apart, and so are their waiters", async () => {
  const { session, engine } = startTrial();
  const { tuples } = session;
  const names = ["a", "b", "c", "d", "e", "f"];
  const waiting = names.map((name) => tuples.take("s", template({ [name]: between(10, 20) }), {}));
  for (const name of names) await tuples.out("s", tuple({ [name]: 1 }), undefined, {});
  for (const name of names) expect(await tuples.readNow("s", template({ [name]: 1 }))).toBe(tuple({ [name]: 1 }));
  expect(await tuples.count("s", template(partial({ c: Number })))).toBe(1);
  for (const name of names.toReversed()) await tuples.out("s", tuple({ [name]: 15 }), undefined, {});
  expect(await Promise.all(waiting)).toEqual(names.map((name) => tuple({ [name]: 15 })));
  expect(engine.describe().spaces).toMatchObject({ tuples: names.length, waiters: 0, forms: names.length });
});

test("forms whose names have one hash are forgotten one by one", () => {
  const index = new TupleIndex("oldest", Math.random);
  const add = (name: string): Resident => {
    const resident = new Resident(tuple({ [name]: 1 }));
    index.add(resident, false);
    return resident;
  };
  const kept = add("kept");
  for (let i = 0; i < 600; i++) index.remove(add(`key${i}`));
  expect(index.describe().forms).toBeLessThanOrEqual(257);
  expect(index.search(compileTemplate(template({ kept: 1 })))).toEqual([kept]);
});
