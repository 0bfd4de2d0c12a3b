import { once } from "node:events";
import { connect as dial } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectNats } from "@nats-io/transport-node";
import { type Bus, BusError, connect } from "@quadrant/bus";
import { type Member, type StartedBroker, startBroker } from "@quadrant/testkit/brokers";

/** What is kept by three servers of NATS, or by a Redis primary with a replica and Sentinels. */
export type Kept = "letters" | "entries";

export interface FailoverRun {
  readonly broker: "nats" | "redis";
  readonly kept: Kept;
  /** So many are to be acknowledged; the leader is killed at half of them. */
  readonly wanted: number;
  /** Who put at once. */
  readonly putters: number;
  /** Of Redis: how long its replica has been cut off from the primary when that is killed, in milliseconds. Default 0. */
  readonly cutOffMs?: number | undefined;
}

export interface FailoverReport {
  readonly version: string;
  readonly killed: string;
  readonly acknowledged: number;
  /** "indefinite": they may or may not have happened. */
  readonly unknown: number;
  readonly refused: number;
  /** Acknowledged, and not there afterwards. */
  readonly lost: number;
  /** Of these, acknowledged after the new leader was there. */
  readonly lostLate: number;
  readonly twice: number;
  readonly invented: number;
  /** From the SIGKILL until something was acknowledged that was begun after it. */
  readonly backMs: number;
}

const name = "failover";
const probeMs = 1_000;

/** The server of NATS that leads the stream. */
async function streamLeader(broker: StartedBroker, kept: Kept): Promise<Member> {
  const raw = await connectNats({ servers: broker.members.map(({ address }) => address) });
  const stream = kept === "letters" ? "QUADRANT_MAIL" : `QUADRANT_LOG_${name}`;
  try {
    for (;;) {
      const answer = (await raw.request(`$JS.API.STREAM.INFO.${stream}`, "", { timeout: 5_000 })).json();
      const { cluster, error } = answer as { cluster?: { leader?: string }; error?: { description: string } };
      if (error !== undefined) throw new Error(`${stream}: ${error.description}`);
      for (const member of cluster?.leader === undefined ? [] : broker.members) {
        if ((await serverName(member)) === cluster?.leader) return member;
      }
      await pause(100);
    }
  } finally {
    await raw.close();
  }
}

async function serverName({ address }: Member): Promise<string | undefined> {
  const raw = await connectNats({ servers: address, reconnect: false });
  const { info } = raw;
  await raw.close();
  return info?.server_name;
}

async function leaderOf(broker: StartedBroker, kept: Kept): Promise<Member> {
  if (broker.kind === "nats") return streamLeader(broker, kept);
  return broker.members.find(({ role }) => role === "primary")!;
}

/** The replica stands still and its connection is ended; what the primary acknowledges from then on it does not have. */
async function cutOff(broker: StartedBroker, primary: Member, ms: number): Promise<Member> {
  const replica = broker.members.find(({ role }) => role === "replica")!;
  await replica.pause();
  const [host = "", port] = primary.address.split(":");
  const socket = dial(Number(port), host);
  socket.write("CLIENT KILL TYPE replica\r\n");
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  if (answer.toString() !== ":1\r\n") throw new Error(`the primary ended not one connection: ${answer}`);
  await pause(ms);
  return replica;
}

interface Store {
  put(n: number): Promise<unknown>;
  /** Everything that is there, in order; of a mailbox it is taken. */
  there(): Promise<readonly number[]>;
}

async function storeOf(bus: Bus, kept: Kept): Promise<Store> {
  if (kept === "entries") {
    const log = await bus.log<number>(name);
    return {
      put: (n) => log.append("s", n),
      there: async () => {
        const numbers: number[] = [];
        for await (const { data } of log.read({ to: "end" })) numbers.push(data);
        return numbers;
      },
    };
  }
  const box = await bus.mailbox<number>(name, { leaseMs: 60_000 });
  return {
    put: (n) => box.send(n),
    there: async () => {
      const numbers: number[] = [];
      const worker = await box.process((letter) => void numbers.push(letter.data), { concurrency: 256 });
      for (;;) {
        const { waiting, held, delayed } = await box.info();
        if (waiting + held + delayed === 0) break;
        await pause(20);
      }
      await worker[Symbol.asyncDispose]();
      return numbers;
    },
  };
}

/** Puts numbers until enough are acknowledged, through whatever happens; what is not acknowledged is not put again. */
class Putting {
  readonly acknowledged: number[] = [];
  readonly unknown = new Set<number>();
  refused = 0;
  killedAt = Number.POSITIVE_INFINITY;
  backAt = Number.POSITIVE_INFINITY;
  /** How many were acknowledged when the first was that was begun after the kill. */
  backAfter = 0;
  readonly #store: Store;
  readonly #wanted: number;
  #next = 0;

  constructor(store: Store, wanted: number) {
    this.#store = store;
    this.#wanted = wanted;
  }

  async run(): Promise<void> {
    while (this.acknowledged.length < this.#wanted) await this.#put(this.#store, this.#next++);
  }

  /** Puts one after another, each with little time, until one is acknowledged: those that put before the kill may wait for long. */
  async probe(store: Store): Promise<void> {
    while (this.backAt === Number.POSITIVE_INFINITY) await this.#put(store, this.#next++);
  }

  async #put(store: Store, n: number): Promise<void> {
    const begunAt = performance.now();
    try {
      await store.put(n);
    } catch (error) {
      if (!(error instanceof BusError) || !error.retryable) throw error;
      if (error.code === "indefinite") this.unknown.add(n);
      else this.refused++;
      await pause(20);
      return;
    }
    this.acknowledged.push(n);
    if (begunAt < this.killedAt || this.backAt !== Number.POSITIVE_INFINITY) return;
    this.backAt = performance.now();
    this.backAfter = this.acknowledged.length;
  }

  get report(): Pick<FailoverReport, "acknowledged" | "unknown" | "refused" | "backMs"> {
    return {
      acknowledged: this.acknowledged.length,
      unknown: this.unknown.size,
      refused: this.refused,
      backMs: Math.round(this.backAt - this.killedAt),
    };
  }
}

function verdict(
  putting: Putting,
  there: readonly number[],
): Pick<FailoverReport, "lost" | "lostLate" | "twice" | "invented"> {
  const found = new Set(there);
  const acknowledged = new Set(putting.acknowledged);
  const lost = putting.acknowledged.map((n, at) => ({ n, at })).filter(({ n }) => !found.has(n));
  return {
    lost: lost.length,
    lostLate: lost.filter(({ at }) => at >= putting.backAfter).length,
    twice: there.length - found.size,
    invented: [...found].filter((n) => !acknowledged.has(n) && !putting.unknown.has(n)).length,
  };
}

/** Kills who leads while it is written to, and says what of what was acknowledged is there afterwards. */
export async function runFailover(run: FailoverRun): Promise<FailoverReport> {
  const { broker: kind, kept, wanted, putters, cutOffMs = 0 } = run;
  const broker = await startBroker(kind, { cluster: true });
  const url = kind === "nats" ? `${broker.url}?replicas=3` : broker.url;
  const bus = await connect(url, { ...broker.options, timeoutMs: 30_000, requestTimeoutMs: 15_000 });
  const probing = await connect(url, { ...broker.options, timeoutMs: 30_000, requestTimeoutMs: probeMs });
  try {
    const store = await storeOf(bus, kept);
    const probe = await storeOf(probing, kept);
    const putting = new Putting(store, wanted);
    const all = Promise.all(Array.from({ length: putters }, () => putting.run()));
    const leader = await leaderOf(broker, kept);
    while (putting.acknowledged.length < wanted / 2) await Promise.race([all, pause(5)]);
    const replica = cutOffMs > 0 ? await cutOff(broker, leader, cutOffMs) : undefined;
    await leader.kill();
    putting.killedAt = performance.now();
    await replica?.resume();
    await putting.probe(probe);
    await all;
    const there = await store.there();
    return { version: broker.version, killed: leader.role, ...putting.report, ...verdict(putting, there) };
  } finally {
    await Promise.all([bus, probing].map((each) => each.close({ drainMs: 500 })));
    await broker[Symbol.asyncDispose]();
  }
}
