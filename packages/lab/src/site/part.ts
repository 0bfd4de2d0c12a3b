import { type Bus, BusError } from "@quadrant/bus";
import type { RoleProcess } from "../bench/role-process.ts";
import type { Part } from "../experiments/experiment.ts";
import type { HostPool } from "./host-pool.ts";
import type { Answers } from "./role.ts";

/** A part that is slower than this to end is killed. */
const endMs = 3_000;

/** A part in a process of its own. */
export class ProcessPart implements Part {
  readonly #host: RoleProcess;
  readonly #pool: HostPool;
  #over: Promise<void> | undefined;
  #paused = false;

  constructor(host: RoleProcess, pool: HostPool) {
    this.#host = host;
    this.#pool = pool;
  }

  ask<T = unknown>(question: string, argument?: unknown): Promise<T> {
    return this.#host.ask<T>("ask", { question, argument });
  }

  kill(): Promise<void> {
    this.#over ??= this.#pool.end(this.#host);
    return this.#over;
  }

  async pause(): Promise<void> {
    this.#paused = true;
    this.#host.signal("SIGSTOP");
  }

  async resume(): Promise<void> {
    this.#paused = false;
    this.#host.signal("SIGCONT");
  }

  memory(): Promise<number> {
    return this.#host.ask<number>("memory");
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#over ??= this.#end();
    return this.#over;
  }

  async #end(): Promise<void> {
    if (this.#paused) this.#host.signal("SIGCONT");
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), endMs);
    });
    const outcome = await Promise.race([this.#host.ask("end").catch(() => "late"), late]);
    clearTimeout(timer);
    if (outcome === "late") await this.#pool.end(this.#host);
    else this.#pool.give(this.#host);
  }
}

/** A part in this process: where nothing else could meet it. */
export class LocalPart implements Part {
  readonly #bus: Bus;
  readonly #answers: Answers;

  constructor(bus: Bus, answers: Answers) {
    this.#bus = bus;
    this.#answers = answers;
  }

  async ask<T = unknown>(question: string, argument?: unknown): Promise<T> {
    const answer = this.#answers[question];
    if (answer === undefined) throw new Error(`this part does not answer to ${question}`);
    // A copy, as from another process: what the part goes on with stays its own.
    return structuredClone(await answer(argument)) as T;
  }

  async kill(): Promise<void> {
    await this.#bus.close({ drainMs: 0 });
  }

  pause(): Promise<void> {
    return Promise.reject(oneProcess("a part of it cannot be stopped alone"));
  }

  resume(): Promise<void> {
    return Promise.reject(oneProcess("a part of it cannot be stopped alone"));
  }

  async memory(): Promise<number> {
    return process.memoryUsage.rss();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#bus.close({ drainMs: 500 });
  }
}

/** "unsupported" */
export function oneProcess(what: string): BusError {
  return new BusError("unsupported", `an embedded driver lives in one process: ${what}`);
}
