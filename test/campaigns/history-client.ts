import { setTimeout as pause } from "node:timers/promises";
import { type Bus, BusError, type Claim, connect, type Template, type TupleSpace } from "@quadrant/bus";
import { type RecordedBus, record } from "@quadrant/testkit/history";
import { seeded } from "./seeded.ts";

/** What a client is told to do: random operations on a space, noted down in files, until it is told to stop. */
export interface HistoryOrder {
  readonly url: string;
  readonly space: string;
  /** The beginning of the names of its files, and of its tuples: unique. */
  readonly name: string;
  readonly folder: string;
  readonly seed: number;
  /** How many connections it has. */
  readonly connections: number;
}

export const claimLeaseMs = 400;
/** How many operations a connection has under way at once. */
const lanes = 3;
const buckets = 6;
export const anything: readonly ["t", NumberConstructor, StringConstructor] = ["t", Number, String];

class Client {
  readonly #bus: RecordedBus;
  readonly #space: TupleSpace;
  readonly #name: string;
  readonly #random: () => number;
  readonly #running: Promise<void>[];
  #stopped = false;
  #put = 0;

  constructor(bus: RecordedBus, space: TupleSpace, name: string, seed: number) {
    this.#bus = bus;
    this.#space = space;
    this.#name = name;
    this.#random = seeded(seed);
    this.#running = Array.from({ length: lanes }, () => this.#lane());
  }

  async #lane(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#operation();
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        if (error.code === "closed") return;
        // The broker is away: it comes back.
        if (error.code !== "timeout" && error.code !== "aborted") await pause(5);
      }
    }
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #template(): Template {
    const kind = this.#below(4);
    if (kind === 0) return anything;
    if (kind === 1) return ["t", this.#below(buckets), `${this.#name}-${this.#below(this.#put + 1)}`];
    return ["t", this.#below(buckets), String];
  }

  async #operation(): Promise<void> {
    const space = this.#space;
    const timeoutMs = 1 + this.#below(30);
    switch (this.#below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        await space.out(["t", this.#below(buckets), `${this.#name}-${this.#put++}`]);
        return;
      case 4:
        await space.in(this.#template(), { timeoutMs });
        return;
      case 5:
        await space.in(this.#template(), { signal: AbortSignal.timeout(timeoutMs) });
        return;
      case 6:
        await space.inp(this.#template());
        return;
      case 7:
        await space.rd(this.#template(), { timeoutMs });
        return;
      case 8:
        await space.rdp(this.#template());
        return;
      default:
        await this.#settle(await space.claim(this.#template(), { timeoutMs, leaseMs: claimLeaseMs }));
    }
  }

  /** Some are acknowledged, some given back, some kept until their lease ends. */
  async #settle(claim: Claim<unknown>): Promise<void> {
    const what = this.#below(8);
    if (what < 5) await claim.ack();
    else if (what < 7) await claim.nak();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    await this.#bus.close({ drainMs: 1_000 });
  }

  /** Without a goodbye, as far as that is possible inside of a living process. */
  async breakOff(): Promise<void> {
    this.#stopped = true;
    await this.#bus.close({ drainMs: 0 });
    await Promise.all(this.#running);
  }
}

/** Opens the connections of an order, which begin at once. */
export async function startClients(order: HistoryOrder): Promise<Client[]> {
  const { url, space, name, folder, seed, connections } = order;
  const opening = async (at: number): Promise<Client> => {
    const process = `${name}-${at}`;
    const bus: Bus = await connect(url, { timeoutMs: 20_000, requestTimeoutMs: 2_000 });
    const recorded = record(bus, { to: `${folder}/${process}.jsonl`, process });
    for (let left = 30; ; left--) {
      try {
        return new Client(recorded, await recorded.space(space), process, seed + at);
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  };
  return Promise.all(Array.from({ length: connections }, (_, at) => opening(at)));
}
