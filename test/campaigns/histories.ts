import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { BusError, connect } from "@quadrant/bus";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { check, type Report, readHistory, record, type Violation } from "@quadrant/testkit/history";
import { anything, claimLeaseMs, type HistoryOrder, startClients } from "./history-client.ts";
import { Crew } from "./history-crew.ts";
import { seeded } from "./seeded.ts";

export const historyDrivers = ["memory", "file", "zeromq", "nats", "redis"] as const;
export type HistoryDriver = (typeof historyDrivers)[number];

export interface HistoriesCampaign {
  readonly driver: HistoryDriver;
  readonly histories: number;
  readonly seed: number;
  /** How long the clients of a history run. */
  readonly runMs: number;
  readonly progress?: ((done: number, violations: number) => void) | undefined;
}

export interface HistoriesReport {
  readonly histories: number;
  readonly operations: number;
  readonly indefinite: number;
  readonly clientKills: number;
  readonly brokerKills: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  /** Where the histories with violations are: their files are kept. */
  readonly kept: readonly string[];
  readonly seconds: number;
}

const clients = 8;
/** How long a claim of a client that was killed may be held: then what is there is all there is. */
const settledMs = claimLeaseMs + 2_000;

/** Where the clients of a driver are, and what can be done to them while they run. */
interface Field {
  /** Of the history of that number. */
  url(history: number): string;
  brokerKills: number;
  clientKills: number;
  /** Runs the clients of a history, with kills in the meantime. */
  run(order: HistoryOrder, runMs: number, random: () => number): Promise<void>;
  end(): Promise<void>;
}

/** Clients in processes of their own, over a broker that keeps what it has acknowledged. */
class BrokerField implements Field {
  readonly #broker: StartedBroker;
  readonly #crew = new Crew(clients);
  brokerKills = 0;

  constructor(broker: StartedBroker) {
    this.#broker = broker;
  }

  url(): string {
    return this.#broker.url;
  }

  get clientKills(): number {
    return this.#crew.kills;
  }

  async run(order: HistoryOrder, runMs: number, random: () => number): Promise<void> {
    await this.#crew.start(order);
    const killBroker = random() < 0.5;
    const [first, second, last] = [random(), random(), random()].sort();
    await pause(first! * runMs);
    await this.#crew.killOne(Math.floor(random() * clients), order);
    await pause((second! - first!) * runMs);
    if (killBroker) {
      await this.#broker.kill();
      this.brokerKills++;
      await this.#broker.restart();
    }
    await pause((last! - second!) * runMs);
    await this.#crew.killOne(Math.floor(random() * clients), order);
    await pause((1 - last!) * runMs);
    await this.#crew.stop();
  }

  async end(): Promise<void> {
    await this.#crew.end();
    await this.#broker[Symbol.asyncDispose]();
  }
}

/** Eight connections in one process, which is killed and replaced: it is the broker too. Each history has a folder of its own. */
class FileField implements Field {
  readonly #folder: string;
  readonly #crew = new Crew(1);

  constructor(folder: string) {
    this.#folder = folder;
  }

  readonly brokerKills = 0;

  url(history: number): string {
    return `file:${join(this.#folder, String(history))}`;
  }

  get clientKills(): number {
    return this.#crew.kills;
  }

  async run(order: HistoryOrder, runMs: number, random: () => number): Promise<void> {
    const eight = { ...order, connections: clients };
    const killed = random();
    await this.#crew.start(eight);
    await pause(killed * runMs);
    await this.#crew.killOne(0, eight);
    await pause((1 - killed) * runMs);
    await this.#crew.stop();
  }

  async end(): Promise<void> {
    await this.#crew.end();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Eight connections in this process, some of which are closed at once, whatever they were about. */
class MemoryField implements Field {
  readonly brokerKills = 0;
  clientKills = 0;

  url(): string {
    return `memory:histories-${process.pid}`;
  }

  async run(order: HistoryOrder, runMs: number, random: () => number): Promise<void> {
    // One that stays: a space lives as long as its last connection.
    const crew = await startClients({ ...order, connections: clients });
    for (let kill = 0; kill < 2; kill++) {
      await pause((random() * runMs) / 2);
      this.clientKills++;
      await crew.splice(Math.floor(random() * crew.length), 1)[0]!.breakOff();
      crew.push(...(await startClients({ ...order, name: `${order.name}-again${kill}`, connections: 1 })));
    }
    await Promise.all(crew.map((client) => client.stop()));
  }

  async end(): Promise<void> {}
}

async function fieldOf(driver: HistoryDriver, folder: string): Promise<Field> {
  if (driver === "memory") return new MemoryField();
  if (driver === "file") return new FileField(join(folder, "data"));
  return new BrokerField(await startBroker(driver, { durable: true }));
}

/** Reads what is left once nobody can hold anything any more, and judges. A broker that is being restarted is asked again. */
async function judge(order: HistoryOrder): Promise<Report> {
  await pause(settledMs);
  const process = `${order.name}-last`;
  const bus = record(await connect(order.url, { timeoutMs: 20_000 }), {
    to: join(order.folder, `${process}.jsonl`),
    process,
  });
  try {
    for (let left = 10; ; left--) {
      try {
        const space = await bus.space(order.space);
        await space.rdAll(anything);
        await space.destroy();
        break;
      } catch (error) {
        if (left === 0 || !(error instanceof BusError) || !error.retryable) throw error;
      }
    }
  } finally {
    await bus.close({ drainMs: 1_000 });
  }
  const files = (await readdir(order.folder)).map((name) => join(order.folder, name));
  return check(await readHistory(...files));
}

function add(into: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [what, count] of Object.entries(counts)) into[what] = (into[what] ?? 0) + count;
}

/** Histories of random operations by eight clients that are killed at random moments, each judged. */
export async function runHistories(campaign: HistoriesCampaign): Promise<HistoriesReport> {
  const { driver, histories, seed, runMs } = campaign;
  const startedAt = performance.now();
  const base = await mkdtemp(join(tmpdir(), `quadrant-histories-${driver}-`));
  const field = await fieldOf(driver, base);
  // Keeps a space in memory alive between its clients and its judge.
  const anchor = driver === "memory" ? await connect(field.url(0)) : undefined;
  const random = seeded(seed);
  const [counts, violations, kept] = [{} as Record<string, number>, [] as Violation[], [] as string[]];
  let [operations, indefinite, done] = [0, 0, 0];
  const judged = async (order: HistoryOrder): Promise<void> => {
    const report = await judge(order);
    add(counts, report.counts);
    violations.push(...report.violations);
    operations += report.operations;
    indefinite += report.indefinite;
    if (report.violations.length > 0) kept.push(order.folder);
    else await rm(order.folder, { recursive: true, force: true });
    campaign.progress?.(++done, violations.length);
  };
  try {
    let judging = Promise.resolve();
    for (let history = 0; history < histories; history++) {
      const [space, folder] = [`h${seed}x${history}`, join(base, String(history))];
      await mkdir(folder);
      const order = {
        url: field.url(history),
        space,
        name: `h${history}`,
        folder,
        seed: seed + history,
        connections: 1,
      };
      await field.run(order, runMs, random);
      judging = Promise.all([judging, judged(order)]).then(() => undefined);
      judging.catch(() => undefined);
    }
    await judging;
  } finally {
    await anchor?.close({ drainMs: 0 });
    await field.end();
    if (kept.length === 0) await rm(base, { recursive: true, force: true });
  }
  const { clientKills, brokerKills } = field;
  const seconds = (performance.now() - startedAt) / 1_000;
  return { histories: done, operations, indefinite, clientKills, brokerKills, counts, violations, kept, seconds };
}
