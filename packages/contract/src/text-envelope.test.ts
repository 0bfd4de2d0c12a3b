import { expect, test } from "vitest";
import { TextEnvelope } from "./text-envelope.ts";

test("the body is the text in UTF-8, made once", () => {
  const envelope = new TextEnvelope("a", { h: "1" }, "application/json", '"Größe"');
  expect(Buffer.from(envelope.body).toString()).toBe('"Größe"');
  expect(envelope.body).toBe(envelope.body);
  const { subject, headers, contentType } = envelope;
  expect([subject, headers, contentType]).toEqual(["a", { h: "1" }, "application/json"]);
});
