/** Several Redis servers become one broker. */
import { setTimeout as pause } from "node:timers/promises";
import { askRedis, type RedisAccess } from "./redis-command.ts";

const assembleMs = 60_000;

/** Asks again and again, until what is asked for is so. */
async function becomes(what: string, asked: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + assembleMs;
  let why: unknown;
  while (Date.now() < end) {
    try {
      if (await asked()) return;
    } catch (cause) {
      why = cause;
    }
    await pause(50);
  }
  throw new Error(`not within ${assembleMs} ms: ${what}`, { cause: why });
}

/** Resolves once one of two servers is the replica of the other, and has its data. Which one, a failover may have changed. */
export async function linked(pair: readonly RedisAccess[]): Promise<void> {
  await becomes("a replica follows the primary", async () => {
    const infos = await Promise.all(pair.map((each) => askRedis(each, "INFO", "replication")));
    return infos.some((info) => info.includes("state=online")) && infos.some((info) => info.includes("link_status:up"));
  });
}

/** Resolves once every Sentinel knows the primary, its replica and the other Sentinels, and finds the primary well. */
export async function watched(sentinels: readonly RedisAccess[]): Promise<void> {
  for (const sentinel of sentinels) {
    await becomes("a Sentinel knows the primary, its replica and the other Sentinels", async () => {
      const info = await askRedis(sentinel, "INFO", "sentinel");
      return new RegExp(`status=ok,address=[^,]*,slaves=1,sentinels=${sentinels.length}`).test(info);
    });
  }
}

interface Node extends RedisAccess {
  readonly bus: number;
}

const slots = 16_384;

/** Shares the slots among new nodes and lets them meet; resolves once all of them serve all slots. */
export async function sharded(nodes: readonly Node[]): Promise<void> {
  const [first] = nodes;
  if (first === undefined) return;
  const states = await Promise.all(nodes.map((node) => askRedis(node, "CLUSTER", "INFO")));
  if (states.every((state) => state.includes("cluster_slots_assigned:0\r"))) {
    for (const [at, node] of nodes.entries()) {
      const from = Math.floor((at * slots) / nodes.length);
      const to = Math.floor(((at + 1) * slots) / nodes.length) - 1;
      await askRedis(node, "CLUSTER", "ADDSLOTSRANGE", String(from), String(to));
      await askRedis(node, "CLUSTER", "SET-CONFIG-EPOCH", String(at + 1));
      if (node !== first) {
        await askRedis(node, "CLUSTER", "MEET", "127.0.0.1", String(first.port), String(first.bus));
      }
    }
  }
  for (const node of nodes) {
    await becomes("a node of Redis Cluster serves all slots", async () => {
      const state = await askRedis(node, "CLUSTER", "INFO");
      return state.includes("cluster_state:ok\r") && state.includes(`cluster_known_nodes:${nodes.length}\r`);
    });
  }
}
