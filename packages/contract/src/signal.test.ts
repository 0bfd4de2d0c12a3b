import { expect, test } from "vitest";
import { checkSignal, unlessAborted } from "./signal.ts";

test("a signal that has been aborted, and what is none, is refused", () => {
  expect(checkSignal(undefined, "this")).toBeUndefined();
  expect(checkSignal(new AbortController().signal, "this")).toBeUndefined();
  expect(() => checkSignal(AbortSignal.abort(), "this")).toThrow(expect.objectContaining({ code: "aborted" }));
  expect(() => checkSignal({} as AbortSignal, "this")).toThrow(expect.objectContaining({ code: "invalid" }));
});

test("work that is not aborted keeps its outcome", async () => {
  const { signal } = new AbortController();
  expect(await unlessAborted(signal, "this", Promise.resolve(1), () => undefined)).toBe(1);
  const failed = unlessAborted(signal, "this", Promise.reject(new Error("no")), () => undefined);
  await expect(failed).rejects.toThrow("no");
});

test("work that is aborted rejects at once, and what it yields late is undone", async () => {
  const controller = new AbortController();
  const work = Promise.withResolvers<number>();
  const undone = Promise.withResolvers<number>();
  const waiting = unlessAborted(controller.signal, "this", work.promise, undone.resolve);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: "aborted" });
  work.resolve(7);
  expect(await undone.promise).toBe(7);
});
