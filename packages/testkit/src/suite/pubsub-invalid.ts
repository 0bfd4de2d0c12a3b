import type { BusError, Message } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { collect, next } from "./collected.ts";
import { brokenBytes, brokenJson, numbers } from "./planted.ts";
import type { Scene } from "./scene.ts";

interface Refusal {
  readonly message: Message<unknown>;
  readonly error: BusError;
}

async function schemaRefuses(scene: Scene): Promise<void> {
  const subject = scene.name();
  const refused: Refusal[] = [];
  const subscription = scene.own(
    await scene.bus.subscribe(subject, {
      schema: numbers,
      invalid: (message, error) => refused.push({ message, error }),
    }),
  );
  const messages = collect(subscription);
  for (const data of ["one", 2, null, 3]) await scene.other.publish(subject, data, { headers: { of: String(data) } });
  await messages.atLeast(2);
  expect(messages.items.map((message) => message.data)).toEqual([2, 3]);
  expect(refused.map(({ message }) => message.data)).toEqual(["one", null]);
  expect(refused.map(({ message }) => message.headers)).toEqual([{ of: "one" }, { of: "null" }]);
  expect(refused.map(({ error }) => error.code)).toEqual(["invalid", "invalid"]);
}

async function undecodable(scene: Scene): Promise<void> {
  const subject = scene.name();
  const broken = await scene.connect({ codec: brokenJson });
  const refused: Refusal[] = [];
  const subscription = scene.own(
    await scene.bus.subscribe(subject, { invalid: (message, error) => refused.push({ message, error }) }),
  );
  const messages = collect(subscription);
  await broken.publish(subject, "whatever");
  await broken.flush();
  await scene.other.publish(subject, "good");
  await messages.until("the good one", (items) => items.some((message) => message.data === "good"));
  expect(messages.items).toHaveLength(1);
  expect(refused.map(({ error }) => error.code)).toEqual(["codec"]);
  expect(refused[0]?.message.subject).toBe(subject);
  expect(refused[0]?.message.data).toEqual(brokenBytes);
}

async function unheard(scene: Scene): Promise<void> {
  const subject = scene.name();
  const subscription = scene.own(await scene.bus.subscribe(subject, { schema: numbers }));
  const iterator = subscription[Symbol.asyncIterator]();
  await scene.other.publish(subject, "no number");
  await scene.other.publish(subject, 1);
  expect((await next(iterator)).data).toBe(1);
  expect(subscription.dropped).toBe(1);
}

async function throwingListener(scene: Scene): Promise<void> {
  const subject = scene.name();
  const subscription = scene.own(
    await scene.bus.subscribe(subject, {
      schema: numbers,
      invalid: () => {
        throw new Error("a listener with a defect");
      },
    }),
  );
  const iterator = subscription[Symbol.asyncIterator]();
  await scene.other.publish(subject, "no number");
  await scene.other.publish(subject, 1);
  expect((await next(iterator)).data).toBe(1);
}

export const pubsubInvalidClauses: readonly Clause[] = [
  clause("invalid/schema", "what fails the schema goes to `invalid`, and the loop goes on", schemaRefuses),
  clause("invalid/undecodable", "what cannot be decoded goes to `invalid` as bytes", undecodable),
  clause("invalid/counted", "without `invalid` it counts as dropped", unheard),
  clause("invalid/listener-throws", "an `invalid` that throws does not end the loop", throwingListener),
];
