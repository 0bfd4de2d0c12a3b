import { expect, test } from "vitest";
import { Catalog } from "./catalog.ts";
import { Setting } from "./setting.ts";

function makeCatalog(): Catalog<{ readonly name: string; row: number }> {
  return new Catalog(
    new Setting(),
    "mailbox",
    (name) => ({ name, row: 0 }),
    () => undefined,
  );
}

test("a thing is made once, by use, and listed by name", () => {
  const catalog = makeCatalog();
  const b = catalog.obtain("b");
  expect(catalog.obtain("b")).toBe(b);
  expect(catalog.find("a")).toBeUndefined();
  catalog.obtain("a");
  expect(catalog.names()).toEqual(["a", "b"]);
  expect([...catalog].map(({ name }) => name)).toEqual(["b", "a"]);
});

test("a thing that was removed is a conflict until it is added again", () => {
  const catalog = makeCatalog();
  const made = catalog.obtain("a");
  expect(catalog.remove("a")).toBe(made);
  expect(catalog.remove("a")).toBeUndefined();
  expect(() => catalog.obtain("a")).toThrowError(expect.objectContaining({ code: "conflict" }));
  catalog.add("a", { name: "again", row: 0 });
  expect(catalog.obtain("a").name).toBe("again");
});

test("of names that were removed the last ten thousand are remembered", () => {
  const catalog = makeCatalog();
  for (let i = 0; i <= 10_000; i++) {
    catalog.obtain(`n${i}`);
    catalog.remove(`n${i}`);
  }
  expect(catalog.obtain("n0").name).toBe("n0");
  expect(() => catalog.obtain("n1")).toThrowError(expect.objectContaining({ code: "conflict" }));
});
