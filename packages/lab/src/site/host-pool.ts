import { RoleProcess } from "../bench/role-process.ts";

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const program = new URL(`./host-main.${extension}`, import.meta.url);
/** Idle ones that are kept. */
const mostIdle = 10;

/** Processes that play roles: kept for the next repetition, since starting one takes longer than most of what it is asked. */
export class HostPool implements AsyncDisposable {
  readonly #idle: RoleProcess[] = [];
  readonly #all = new Set<RoleProcess>();

  async take(): Promise<RoleProcess> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const host = await RoleProcess.fork("host", program);
    this.#all.add(host);
    return host;
  }

  /** One that answered to its end. */
  give(host: RoleProcess): void {
    if (!host.ended && this.#idle.length < mostIdle) this.#idle.push(host);
    else void this.end(host);
  }

  async end(host: RoleProcess): Promise<void> {
    this.#all.delete(host);
    await host.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#idle.length = 0;
    await Promise.all([...this.#all].map((host) => this.end(host)));
  }
}
