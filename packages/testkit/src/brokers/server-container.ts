import { setTimeout as pause } from "node:timers/promises";
import { type Container, type Engine, engineWith } from "./docker.ts";
import { emptied } from "./folder.ts";
import { holdContainer } from "./guardian.ts";
import { EarlyEnd, type Server, type ServerPlan } from "./server.ts";

const startMs = 60_000;
const folder = "/quadrant";

/**
 * Writes the files that came as variables, unless a server before has written its own, and becomes the server. What is not
 * on the PATH is Valkey under its own name.
 */
const entry = `set -e
mkdir -p ${folder}/data
for name in $QUADRANT_FILES; do
  variable=QUADRANT_FILE_$(printf %s "$name" | tr . _)
  [ -e "${folder}/$name" ] || eval "printf %s \\"\\$$variable\\"" >"${folder}/$name"
done
program=$1
shift
command -v "$program" >/dev/null || program=valkey-server
exec "$program" "$@"`;

interface Origin {
  readonly image: string;
  /** Whether it shares the network of this machine: servers that tell clients of each other have to. */
  readonly hostNetwork: boolean;
  /** A folder of this machine for its data. */
  readonly data?: string | undefined;
}

/** A server in a container, whose own file system holds its data; at a port of 127.0.0.1. */
export class ServerContainer implements Server {
  readonly plan: ServerPlan;
  readonly pid: undefined;
  readonly #engine: Engine;
  readonly #from: Origin;
  #container: Container | undefined;
  #letGo: (() => void) | undefined;
  #paused = false;

  private constructor(plan: ServerPlan, engine: Engine, from: Origin) {
    this.plan = plan;
    this.#engine = engine;
    this.#from = from;
  }

  /** Prepares one; `start` starts it. Rejects with NoImage. */
  static async prepare(plan: ServerPlan, from: Origin): Promise<ServerContainer> {
    if (from.data !== undefined) await emptied(from.data);
    return new ServerContainer(plan, await engineWith(from.image), from);
  }

  async start(): Promise<string> {
    const container = this.#container ?? (await this.#create());
    this.#container = container;
    await this.#begin(container);
    return this.#serving(container);
  }

  /** The engine may hold the port a moment longer than the container that was killed. */
  async #begin(container: Container): Promise<void> {
    const end = Date.now() + startMs;
    for (;;) {
      try {
        await container.start();
        return;
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        if (!/already (in use|allocated)/.test(why) || Date.now() > end)
          throw new EarlyEnd(this.plan.program, "no start", why);
      }
      await pause(50);
    }
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async pause(): Promise<void> {
    const container = await this.#running();
    if (container === undefined) throw new Error(`there is no ${this.plan.program} to pause: restart it first`);
    if (!this.#paused) await container.pause();
    this.#paused = true;
  }

  async resume(): Promise<void> {
    if (this.#paused) await this.#container?.unpause();
    this.#paused = false;
  }

  async wipe(): Promise<void> {
    if ((await this.#running()) !== undefined) throw new Error(`${this.plan.program} runs: it cannot be wiped`);
    await this.#remove();
    if (this.#from.data !== undefined) await emptied(this.#from.data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove();
  }

  async #create(): Promise<Container> {
    const { port, program } = this.plan;
    const { image, hostNetwork, data } = this.#from;
    const place = { folder, host: hostNetwork ? "127.0.0.1" : "0.0.0.0" };
    const files = Object.entries(this.plan.files(place));
    const container = await this.#engine.client.container.dockerode.createContainer({
      Image: image,
      Labels: { ...this.#engine.labels },
      Entrypoint: ["sh", "-c", entry, "sh"],
      Cmd: [program, ...this.plan.args(place)],
      WorkingDir: "/",
      Env: [
        `QUADRANT_FILES=${files.map(([name]) => name).join(" ")}`,
        ...files.map(([name, text]) => `QUADRANT_FILE_${name.replaceAll(".", "_")}=${text}`),
      ],
      ExposedPorts: hostNetwork ? {} : { [`${port}/tcp`]: {} },
      HostConfig: {
        ...(hostNetwork && { NetworkMode: "host" }),
        PortBindings: hostNetwork ? {} : { [`${port}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: String(port) }] },
        Binds: data === undefined ? [] : [`${data}:${folder}/data`],
      },
    });
    this.#letGo = holdContainer(container.id);
    return container;
  }

  async #serving(container: Container): Promise<string> {
    const end = Date.now() + startMs;
    let why: unknown;
    while (Date.now() < end) {
      try {
        return await this.plan.probe();
      } catch (cause) {
        why = cause;
      }
      const { State: state } = await container.inspect();
      if (!state.Running) {
        const words = await container.logs({ stdout: true, stderr: true, tail: 20 });
        throw new EarlyEnd(this.plan.program, `exit ${state.ExitCode}`, words.toString("utf8"));
      }
      await pause(20);
    }
    await this.kill();
    throw new Error(`${this.plan.program} did not serve within ${startMs} ms`, { cause: why });
  }

  /** The container, while what is in it runs. */
  async #running(): Promise<Container | undefined> {
    const container = this.#container;
    return container !== undefined && (await container.inspect()).State.Running ? container : undefined;
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    // A paused container takes no signal before it goes on.
    await this.resume();
    const container = await this.#running();
    if (container === undefined) return;
    const ended = container.wait();
    const say = (): Promise<unknown> => container.kill({ signal }).catch(() => undefined);
    await say();
    // Redis refuses to end in good order while it writes its first append-only file, and has to be asked again.
    const again = setInterval(() => void say(), 500);
    try {
      await ended;
    } finally {
      clearInterval(again);
    }
  }

  async #remove(): Promise<void> {
    await this.#container?.remove({ force: true, v: true });
    this.#container = undefined;
    this.#paused = false;
    this.#letGo?.();
  }
}
