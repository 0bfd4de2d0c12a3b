import { join } from "node:path";
import type { SubmissionRequest, Summary } from "@quadrant/mapreduce";
import type { RoleProcess } from "../role-process.ts";
import type { BrokerUse, Scope } from "../scope.ts";

/** A job that was done. */
export interface DoneJob {
  readonly summary: Summary;
  /** From its submission until its result is committed. */
  readonly tookMs: number;
}

/** What the jobs of a measurement have in common is said once. */
type Asked = Omit<SubmissionRequest, "out" | "workers" | "reducers">;

/** The roles of MapReduce, ready for jobs. */
export class Engine {
  readonly #folder: string;
  readonly #client: RoleProcess;
  readonly #node: RoleProcess;
  readonly #url: string;
  readonly #workers: number;
  #jobs = 0;

  private constructor(folder: string, client: RoleProcess, node: RoleProcess, url: string, workers: number) {
    this.#folder = folder;
    this.#client = client;
    this.#node = node;
    this.#url = url;
    this.#workers = workers;
  }

  /** Each role a process over a broker of its own. */
  static async overBroker(scope: Scope, broker: BrokerUse, workers: number): Promise<Engine> {
    // Before the roles, so that it is removed after them: they tidy up when a job has ended.
    const folder = await scope.folder();
    const [{ url }, manager, master, node, client] = await Promise.all([
      scope.broker(broker),
      scope.role("mapreduce", "resource manager"),
      scope.role("mapreduce", "application master"),
      scope.role("mapreduce", "node manager"),
      scope.role("mapreduce", "client"),
    ]);
    const asked = [manager.ask("manage", { url }), master.ask("master", { url })];
    await Promise.all([...asked, node.ask("node", { url, slots: workers })]);
    return new Engine(folder, client, node, url, workers);
  }

  /** All roles in one process, over `memory:`. */
  static async embedded(scope: Scope, workers: number): Promise<Engine> {
    const folder = await scope.folder();
    const all = await scope.role("mapreduce", "all roles");
    await all.ask("embed", { workers });
    return new Engine(folder, all, all, "memory:", workers);
  }

  /** Rejects where the job ends otherwise than done. */
  async run(asked: Asked): Promise<DoneJob> {
    const out = join(this.#folder, `out-${++this.#jobs}`);
    const request: SubmissionRequest = { ...asked, out, workers: this.#workers, reducers: this.#workers };
    const began = performance.now();
    const summary = await this.#client.ask<Summary>("run", { url: this.#url, request });
    if (summary.outcome !== "done") throw new Error(`the job ended: ${summary.error?.message ?? summary.outcome}`);
    return { summary, tookMs: performance.now() - began };
  }

  /** The most that a worker ever had in memory, in MiB. */
  async peakMiB(): Promise<number> {
    return Math.max(...(await this.#node.ask<number[]>("peaks")));
  }
}
