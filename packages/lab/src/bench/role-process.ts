import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Answer } from "./roles/role.ts";

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

/** A role in a process of its own. One that ends on its own accord fails what it was asked. */
export class RoleProcess implements AsyncDisposable {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #exited: Promise<unknown>;
  #questions = 0;
  #ended: Error | undefined;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    child.on("message", (answer: Answer) => this.#answered(answer));
    this.#exited = once(child, "exit").then(([code, signal]) =>
      this.#end(new Error(`the role ${name} ended with ${signal ?? code}`)),
    );
  }

  /** Forks `roles/NAME-main.ts`; resolves once it listens. */
  static start(name: string, nodeOptions: readonly string[] = []): Promise<RoleProcess> {
    return RoleProcess.fork(name, new URL(`./roles/${name}-main.${extension}`, import.meta.url), nodeOptions);
  }

  /** Forks a program that plays a role; resolves once it listens. */
  static async fork(name: string, program: URL, nodeOptions: readonly string[] = []): Promise<RoleProcess> {
    const role = new RoleProcess(
      name,
      fork(fileURLToPath(program), {
        execPath: process.execPath,
        execArgv: [...nodeOptions],
        stdio: ["ignore", 2, 2, "ipc"],
      }),
    );
    await role.#promised(0);
    return role;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** SIGKILL; resolves once the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** Sends it a signal that does not end it, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Rejects with what the role's part threw, and when the role ends before it answers. */
  ask<T>(name: string, argument?: unknown): Promise<T> {
    const id = ++this.#questions;
    const answer = this.#promised(id);
    if (this.#ended === undefined) this.#child.send({ id, name, argument });
    return answer as Promise<T>;
  }

  /** Ends it in good order where it still can: its channel is closed, so that it exits; after two seconds it is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended !== undefined) return;
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 2_000);
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
    clearTimeout(timer);
  }

  #promised(id: number): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    if (this.#ended === undefined) this.#open.set(id, answer);
    else answer.reject(this.#ended);
    return answer.promise;
  }

  #answered(answer: Answer): void {
    const open = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    if ("error" in answer)
      open?.reject(Object.assign(new Error(`${this.name}: ${answer.error}`), { code: answer.code }));
    else open?.resolve(answer.value);
  }

  #end(error: Error): void {
    this.#ended = error;
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }
}
