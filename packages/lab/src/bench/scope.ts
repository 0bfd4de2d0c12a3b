import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { RoleProcess } from "./role-process.ts";

/** What a measurement may go through: NATS with JetStream on disk, Redis with an append-only file (everysec). */
export type BrokerUse = "hub" | "durable hub" | "nats" | "redis";

const kinds = { hub: "zeromq", "durable hub": "zeromq", nats: "nats", redis: "redis" } as const;

/** What one measurement has started: ended in reverse when the measurement is over, however it ended. */
export class Scope implements AsyncDisposable {
  readonly #started: (() => Promise<void>)[] = [];
  readonly #pids: Record<string, number> = {};

  /** Runs a measurement and ends what it started. */
  static async within<T>(work: (scope: Scope) => Promise<T>): Promise<T> {
    const scope = new Scope();
    try {
      return await work(scope);
    } finally {
      await scope[Symbol.asyncDispose]();
    }
  }

  /** By the name of its role. */
  get pids(): Readonly<Record<string, number>> {
    return this.#pids;
  }

  async role(program: string, name: string = program, nodeOptions: readonly string[] = []): Promise<RoleProcess> {
    const role = await RoleProcess.start(program, nodeOptions);
    this.#started.push(() => role[Symbol.asyncDispose]());
    this.#pids[name] = role.pid;
    return role;
  }

  /** A broker of its own; one that is durable keeps what it holds in a folder that goes with it. */
  async broker(use: BrokerUse): Promise<StartedBroker> {
    const broker = await startBroker(kinds[use], { durable: use !== "hub" });
    this.#started.push(async () => {
      // In good order first: a process that is killed writes no profile.
      await broker.stop();
      await broker[Symbol.asyncDispose]();
    });
    if (broker.pid !== undefined) this.#pids[kinds[use] === "zeromq" ? "hub" : use] = broker.pid;
    return broker;
  }

  /** A folder of its own, on the disk of the system's temporary files. */
  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "quadrant-bench-"));
    this.#started.push(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let end = this.#started.pop(); end !== undefined; end = this.#started.pop()) await end();
  }
}
