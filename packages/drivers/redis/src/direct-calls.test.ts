import { connect } from "@quadrant/bus";
import { startBroker } from "@quadrant/testkit/brokers";
import { Redis } from "ioredis";
import { expect, test } from "vitest";

const service = (name: string) => ({ who: () => name });
type Service = ReturnType<typeof service>;

async function calledOf(redis: Redis, command: string): Promise<number> {
  const stats = await redis.info("commandstats");
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

test("calls of one address go straight to its servers, once these were heard of", async () => {
  await using broker = await startBroker("redis");
  const [caller, one, two] = await Promise.all([1, 2, 3].map(() => connect(broker.url)));
  const redis = new Redis(broker.url);
  await one!.serve("twins", service("one"));
  await two!.serve("twins", service("two"));
  const stub = caller!.client<Service>("twins");
  await stub.who();
  await redis.config("RESETSTAT");
  const answers: string[] = [];
  for (let call = 0; call < 40; call++) answers.push(await stub.who());
  expect(new Set(answers)).toEqual(new Set(["one", "two"]));
  expect(await calledOf(redis, "publish")).toBeGreaterThanOrEqual(80);
  expect(await calledOf(redis, "fcall")).toBeLessThan(40);
  redis.disconnect();
  await Promise.all([caller, one, two].map((bus) => bus!.close()));
});

test("a server that is gone since it was heard of costs no call, nor executes one", async () => {
  await using broker = await startBroker("redis");
  const [caller, leaving, staying] = await Promise.all([1, 2, 3].map(() => connect(broker.url)));
  await leaving!.serve("pair", service("leaving"));
  const stub = caller!.client<Service>("pair");
  expect(await stub.who()).toBe("leaving");
  await staying!.serve("pair", service("staying"));
  await leaving!.close();
  expect(await Promise.all([stub.who(), stub.who(), stub.who()])).toEqual(["staying", "staying", "staying"]);
  await staying!.close();
  await expect(stub.who()).rejects.toMatchObject({ code: "no-responder" });
  await caller!.close();
});

test("a server that left, though its connection stays, passes calls on", async () => {
  await using broker = await startBroker("redis");
  const [caller, other] = await Promise.all([1, 2].map(() => connect(broker.url)));
  const leaving = await other!.serve("moving", service("leaving"));
  const stub = caller!.client<Service>("moving");
  expect(await stub.who()).toBe("leaving");
  await leaving[Symbol.asyncDispose]();
  await expect(stub.who()).rejects.toMatchObject({ code: "no-responder" });
  await other!.serve("moving", service("staying"));
  expect(await Promise.all([stub.who(), stub.who()])).toEqual(["staying", "staying"]);
  await Promise.all([caller, other].map((bus) => bus!.close()));
});
