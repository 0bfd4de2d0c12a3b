import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Auth } from "@quadrant/contract";
import { generateKeyPair, type HubAuth, type HubOptions, type Permissions } from "@quadrant/zeromq";
import type { BrokerOptions, Member, RestartOptions, StartedBroker } from "./broker.ts";
import { emptied } from "./folder.ts";
import { holdFolder, holdProcess } from "./guardian.ts";
import { freePort } from "./port.ts";
import { stopped } from "./process-state.ts";

const program = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./hub-main.ts" : "./hub-main.js", import.meta.url),
);

/** Forks a hub; resolves with its process once it listens. */
async function launch(options: HubOptions): Promise<ChildProcess> {
  const child = fork(program, { execPath: process.execPath, execArgv: [], stdio: ["ignore", 2, 2, "ipc"] });
  const letGo = child.pid === undefined ? undefined : holdProcess(child.pid);
  const exited = once(child, "exit").then(([code]) => {
    letGo?.();
    throw new Error(`the hub ended with ${code} before it listened at ${options.url}`);
  });
  exited.catch(() => undefined);
  child.send(options);
  await Promise.race([once(child, "message"), exited]);
  return child;
}

/** The hub's keys and those of its one client, with what that may do. */
function makeKeys(permissions: string | undefined): { hub: HubAuth; client: Auth } {
  const [hub, client] = [generateKeyPair(), generateKeyPair()];
  const may = JSON.parse(permissions ?? "{}") as Permissions;
  return {
    hub: { secretKey: hub.secretKey, clients: { [client.publicKey]: may } },
    client: { curve: { serverKey: hub.publicKey, ...client } },
  };
}

function versionOfHub(): string {
  const require = createRequire(import.meta.url);
  return String((require("../../package.json") as { version: unknown }).version);
}

/** The one server of a hub is the hub. */
function memberOf(hub: HubProcess): Member {
  return {
    role: "server",
    address: new URL(hub.url).host,
    get pid() {
      return hub.pid;
    },
    stop: () => hub.stop(),
    kill: () => hub.kill(),
    restart: (options) => hub.restart(options),
    pause: () => hub.pause(),
    resume: () => hub.resume(),
  };
}

/** A Quadrant hub in a process of its own. */
export class HubProcess implements StartedBroker {
  readonly kind = "zeromq";
  readonly via = "binary";
  readonly url: string;
  /** The hub is of the same release as this package. */
  readonly version: string = versionOfHub();
  readonly options: StartedBroker["options"];
  /** How it is started, and started again. */
  readonly #hub: HubOptions;
  /** Of a folder that is its own. */
  readonly #letGo: (() => void) | undefined;
  #child: ChildProcess | undefined;

  private constructor(hub: HubOptions & { url: string }, options: StartedBroker["options"], letGo?: () => void) {
    this.url = hub.url;
    this.options = options;
    this.#hub = hub;
    this.#letGo = letGo;
  }

  static async start(options: BrokerOptions): Promise<HubProcess> {
    const durable = options.durable !== undefined ? options.durable !== false : options.data !== undefined;
    const own = durable && options.data === undefined ? await mkdtemp(join(tmpdir(), "quadrant-hub-")) : undefined;
    const letGo = own === undefined ? undefined : holdFolder(own);
    const data = durable ? (options.data ?? own) : undefined;
    if (data !== undefined) await emptied(data);
    const keys = options.auth === undefined ? undefined : makeKeys(options.permissions);
    const forClients = keys === undefined ? {} : { auth: keys.client };
    const hub = { url: `zmq://127.0.0.1:${await freePort()}`, data, auth: keys?.hub };
    const broker = new HubProcess(hub, forClients, letGo);
    try {
      await broker.#launch();
    } catch (error) {
      await broker[Symbol.asyncDispose]();
      throw error;
    }
    return broker;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get members(): readonly Member[] {
    return [memberOf(this)];
  }

  async stop(): Promise<void> {
    // A stopped process takes no other signal before it goes on.
    this.#child?.kill("SIGCONT");
    await this.#end("SIGTERM");
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async restart(options: RestartOptions = {}): Promise<void> {
    await this.stop();
    if (options.wipe && this.#hub.data !== undefined) await emptied(this.#hub.data);
    await this.#launch();
  }

  async pause(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) throw new Error("there is no hub to pause: restart it first");
    child.kill("SIGSTOP");
    await stopped(child.pid);
  }

  async resume(): Promise<void> {
    this.#child?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    if (this.#letGo === undefined) return;
    await rm(this.#hub.data!, { recursive: true, force: true });
    this.#letGo();
  }

  async #launch(): Promise<void> {
    const child = await launch(this.#hub);
    // A hub that a test forgot does not keep its process from ending; it ends with it.
    child.channel?.unref();
    child.unref();
    this.#child = child;
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.ref();
    child.kill(signal);
    await exited;
  }
}
