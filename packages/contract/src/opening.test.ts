import { expect, test } from "vitest";
import { z } from "zod";
import { Bodies } from "./body.ts";
import { json } from "./codec.ts";
import type { Envelope } from "./envelope.ts";
import { BusError } from "./errors.ts";
import { openEnvelope, tellInvalid } from "./opening.ts";
import type { StandardSchema } from "./schema.ts";

const envelope = (body: string): Envelope => ({
  subject: "a",
  headers: { h: "1" },
  contentType: json.contentType,
  body: new TextEncoder().encode(body),
});

const open = (body: string, schema?: StandardSchema<unknown>) =>
  openEnvelope<unknown, unknown>(envelope(body), {
    bodies: new Bodies(json, [], 100),
    schema,
    value: (data) => ["value", data],
    refused: (data, error) => ["refused", data, error.code],
  });

test("an envelope is opened at once where nothing takes its time", async () => {
  const slowly = z.number().refine(async (n) => n > 1);
  expect(open("2")).toEqual(["value", 2]);
  expect(open("2", z.number())).toEqual(["value", 2]);
  expect(open("{")).toEqual(["refused", new TextEncoder().encode("{"), "codec"]);
  expect(open('"a"', z.number())).toEqual(["refused", "a", "invalid"]);
  expect(await open("2", slowly)).toEqual(["value", 2]);
  expect(await open("1", slowly)).toEqual(["refused", 1, "invalid"]);
});

test("a callback that is told of a refused envelope cannot disturb", async () => {
  const error = new BusError("codec", "unreadable");
  const told: unknown[] = [];
  tellInvalid((message, cause) => told.push([message, cause]), envelope("{"), "data", error);
  expect(told).toEqual([[{ subject: "a", data: "data", headers: { h: "1" } }, error]]);
  const throwing = (): void => {
    throw new Error("no");
  };
  tellInvalid(throwing, envelope("{"), 1, error);
  tellInvalid((() => Promise.reject(new Error("no"))) as () => void, envelope("{"), 1, error);
  await new Promise((resolve) => setImmediate(resolve));
});
