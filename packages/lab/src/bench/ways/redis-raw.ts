/** What is sent over Redis without Quadrant: ioredis as one uses it who knows it, and BullMQ. */
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Errand } from "../caller.ts";
import type { OpenInlet } from "../consumer.ts";
import { indexOf, type Payload, payloadMaker } from "../payload.ts";
import type { Outlet } from "../producer.ts";
import { batching } from "./batching.ts";

const channel = "raw.orders";
const requests = "raw.requests";
const stream = "raw.stream";
const group = "workers";
/** What goes out in one pipeline, and what is read at once. */
const batch = 100;

function fail(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

/** Resolves once the server is not busy with its append-only file, which it writes anew when much was put. */
export async function redisAtRest(url: string): Promise<void> {
  const redis = new Redis(url);
  while (/aof_rewrite_(in_progress|scheduled):1/.test(await redis.info("persistence"))) await pause(50);
  redis.disconnect();
}

/** Publishes without waiting. */
export async function redisPublishing(url: string): Promise<Outlet> {
  const redis = new Redis(url);
  return {
    put: (payload) => redis.publish(channel, JSON.stringify(payload)),
    close: async () => redis.disconnect(),
  };
}

export function redisSubscribing(url: string): OpenInlet {
  return async (consumer) => {
    const redis = new Redis(url);
    redis.on("message", (_channel: string, text: string) => {
      if (consumer.take(JSON.parse(text))) consumer.settle();
    });
    await redis.subscribe(channel);
    return { close: async () => redis.disconnect() };
  };
}

/** XADD in pipelines. */
export async function redisStoring(url: string): Promise<Outlet> {
  const redis = new Redis(url);
  return {
    put: batching(async (payloads) => {
      const pipeline = redis.pipeline();
      for (const payload of payloads) pipeline.xadd(stream, "*", "p", JSON.stringify(payload));
      await pipeline.exec();
    }),
    close: async () => redis.disconnect(),
  };
}

type Entries = readonly [string, readonly [string, readonly string[]][]][] | null;

/** XREADGROUP COUNT 100, then XACK and XDEL of what was read, in one pipeline. */
export function redisConsuming(url: string): OpenInlet {
  return async (consumer) => {
    const redis = new Redis(url);
    await redis.xgroup("CREATE", stream, group, "0", "MKSTREAM").catch(() => undefined);
    let closed = false;
    const reading = (async () => {
      while (!closed) {
        const args = [group, "one", "COUNT", batch, "BLOCK", 1_000, "STREAMS", stream, ">"] as const;
        const found = (await redis.xreadgroup("GROUP", ...args)) as Entries;
        const entries = found?.[0]?.[1] ?? [];
        if (entries.length === 0) continue;
        const news = entries.filter(([, fields]) => consumer.take(JSON.parse(fields[1]!))).length;
        const ids = entries.map(([id]) => id);
        await redis
          .pipeline()
          .xack(stream, group, ...ids)
          .xdel(stream, ...ids)
          .exec();
        for (let settled = 0; settled < news; settled++) consumer.settle();
      }
    })();
    reading.catch(fail);
    return {
      close: async () => {
        closed = true;
        await reading;
        redis.disconnect();
      },
    };
  };
}

interface Request {
  readonly id: number;
  readonly to: string;
  readonly payload: Payload;
}

/** PUBLISH both ways: the request on a channel of the server's, the answer on one of the caller's. */
export async function redisServing(url: string): Promise<void> {
  const [sending, receiving] = [new Redis(url), new Redis(url)];
  receiving.on("message", (_channel: string, text: string) => {
    const { id, to, payload } = JSON.parse(text) as Request;
    sending.publish(to, JSON.stringify({ id, payload })).catch(fail);
  });
  await receiving.subscribe(requests);
}

export async function redisRequests(url: string, bytes: number): Promise<Errand> {
  const [sending, receiving] = [new Redis(url), new Redis(url)];
  const to = `raw.replies.${process.pid}`;
  const open = new Map<number, PromiseWithResolvers<Payload>>();
  receiving.on("message", (_channel: string, text: string) => {
    const { id, payload } = JSON.parse(text) as Request;
    open.get(id)!.resolve(payload);
    open.delete(id);
  });
  await receiving.subscribe(to);
  const make = payloadMaker(bytes);
  let id = 0;
  return {
    operations: 1,
    run: async (index) => {
      const answer = Promise.withResolvers<Payload>();
      open.set(++id, answer);
      sending.publish(requests, JSON.stringify({ id, to, payload: make(index) })).catch(answer.reject);
      if (indexOf(await answer.promise) !== index) throw new Error("an answer to another request");
    },
    close: async () => {
      sending.disconnect();
      receiving.disconnect();
    },
  };
}
