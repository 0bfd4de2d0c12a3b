import { expect, it } from "vitest";
import { indexOf, payloadBytes, payloadMaker } from "./payload.ts";

it.each(Object.values(payloadBytes))("payloads of %d bytes are that long in JSON, each another one", (bytes) => {
  const make = payloadMaker(bytes);
  for (const index of [0, 1, 99_999_999]) {
    const text = JSON.stringify(make(index));
    expect(Buffer.byteLength(text)).toBe(bytes);
    expect(indexOf(JSON.parse(text))).toBe(index);
  }
});

it("what does not hold an order is refused, and what is none has no number", () => {
  expect(() => payloadMaker(40)).toThrow("more than 40 bytes");
  expect([indexOf(undefined), indexOf({}), indexOf({ seq: "1" })]).toEqual([-1, -1, -1]);
});
