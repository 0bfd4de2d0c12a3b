import type { BrokerKind, Member, RestartOptions, StartedBroker, Way } from "./broker.ts";
import type { Formation, Stage } from "./formation.ts";
import type { Server } from "./server.ts";

function memberOf(server: Server): Member {
  return {
    role: server.plan.role,
    address: `127.0.0.1:${server.plan.port}`,
    get pid() {
      return server.pid;
    },
    stop: () => server.stop(),
    kill: () => server.kill(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    async restart(options: RestartOptions = {}): Promise<void> {
      await server.stop();
      if (options.wipe) await server.wipe();
      await server.start();
    },
  };
}

/** Servers that were prepared for the stages of a formation. */
export interface PreparedStage {
  readonly servers: readonly Server[];
  readonly stage: Stage;
}

async function startAll(stages: readonly PreparedStage[]): Promise<string> {
  let version = "";
  for (const { servers, stage } of stages) {
    const versions = await Promise.all(servers.map((server) => server.start()));
    version ||= versions[0]!;
    await stage.settle?.();
  }
  return version;
}

/** A broker of servers that were started for it. */
export class ServerBroker implements StartedBroker {
  readonly kind: BrokerKind;
  readonly via: Way;
  readonly url: string;
  readonly version: string;
  readonly options: StartedBroker["options"];
  readonly members: readonly Member[];
  readonly #servers: readonly Server[];
  readonly #stages: readonly PreparedStage[];
  readonly #formation: Formation;

  private constructor(
    kind: BrokerKind,
    via: Way,
    formation: Formation,
    stages: readonly PreparedStage[],
    version: string,
  ) {
    const servers = stages.flatMap((stage) => stage.servers);
    this.kind = kind;
    this.via = via;
    this.url = formation.url;
    this.version = version;
    this.options = formation.options;
    this.members = servers.map(memberOf);
    this.#servers = servers;
    this.#stages = stages;
    this.#formation = formation;
  }

  /** Starts them all; when one does not come up, none is left. */
  static async start(
    kind: BrokerKind,
    via: Way,
    formation: Formation,
    stages: readonly PreparedStage[],
  ): Promise<ServerBroker> {
    try {
      return new ServerBroker(kind, via, formation, stages, await startAll(stages));
    } catch (error) {
      await Promise.all(stages.flatMap(({ servers }) => servers).map((server) => server[Symbol.asyncDispose]()));
      await formation.remove?.();
      throw error;
    }
  }

  get pid(): number | undefined {
    return this.#servers.length === 1 ? this.#servers[0]!.pid : undefined;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  async kill(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
  }

  async restart(options: RestartOptions = {}): Promise<void> {
    await this.stop();
    if (options.wipe) await Promise.all(this.#servers.map((server) => server.wipe()));
    await startAll(this.#stages);
  }

  async pause(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.pause()));
  }

  async resume(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.resume()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
    await this.#formation.remove?.();
  }
}
