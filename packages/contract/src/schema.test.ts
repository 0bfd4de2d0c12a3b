import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { checkSchema, OutgoingSchema, type StandardSchema, validate } from "./schema.ts";

const vendors: readonly (readonly [string, StandardSchema<{ n: number }>])[] = [
  ["zod", z.object({ n: z.number() })],
  ["valibot", v.object({ n: v.number() })],
  ["arktype", type({ n: "number" })],
];

describe.each(vendors)("a schema of %s", (_vendor, schema) => {
  test("gives the value, or refuses and says where", () => {
    checkSchema(schema);
    expect(validate(schema, { n: 1 })).toEqual({ n: 1 });
    expect(() => validate(schema, { n: "one" })).toThrow(expect.objectContaining({ code: "invalid" }));
    expect(() => validate(schema, { n: "one" })).toThrow(/refuses.*\bn\b/);
  });
});

test("a schema's output takes the place of its input", () => {
  expect(validate(z.object({ n: z.number().default(7) }), {})).toEqual({ n: 7 });
});

test("an asynchronous schema gives a promise, and rejects where the schema refuses or throws", async () => {
  const schema = z.string().refine(async (text) => text !== "taken");
  expect(await validate(schema, "free")).toBe("free");
  await expect(validate(schema, "taken")).rejects.toMatchObject({ code: "invalid" });

  const broken = (failure: () => unknown): StandardSchema<string> => ({
    "~standard": { version: 1, vendor: "own", validate: failure },
  });
  const rejecting = broken(() => Promise.reject(new Error("no database")));
  await expect(validate(rejecting, "x")).rejects.toMatchObject({ code: "invalid", message: /no database/ });
  const throwing = broken(() => {
    throw new Error("no database");
  });
  expect(() => validate(throwing, "x")).toThrow(expect.objectContaining({ code: "invalid" }));
});

test("no schema at all is fine, and what is none is invalid", () => {
  expect(checkSchema(undefined)).toBeUndefined();
  for (const none of [null, 1, "string", {}, () => true, { "~standard": {} }])
    expect(() => checkSchema(none)).toThrow(expect.objectContaining({ code: "invalid" }));
});

test("what goes out later overtakes nothing that is still being validated", async () => {
  const first = Promise.withResolvers<boolean>();
  const out = new OutgoingSchema(z.string().refine((text) => (text === "slow" ? first.promise : true)));
  const order: string[] = [];
  const all = ["slow", "quick"].map(async (text) => {
    await out.check(text);
    order.push(text);
  });
  first.resolve(true);
  await Promise.all(all);
  expect(order).toEqual(["slow", "quick"]);

  const numbers = new OutgoingSchema(z.number());
  expect(numbers.check(1)).toBeUndefined();
  expect(() => numbers.check("one")).toThrow(expect.objectContaining({ code: "invalid" }));
});

test("a refused value does not hold up those behind it", async () => {
  const out = new OutgoingSchema(z.string().refine(async (text) => text !== "bad"));
  const bad = out.check("bad");
  const good = out.check("good");
  await expect(bad).rejects.toMatchObject({ code: "invalid" });
  await expect(good).resolves.toBeUndefined();
});
