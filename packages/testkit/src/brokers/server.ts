/** One server of a broker: what is to run, and what can be done to it while it does. */

export type Program = "nats-server" | "redis-server";

/** Where a server runs. */
export interface Place {
  /** Where its files are. */
  readonly folder: string;
  /** The address that it listens at. */
  readonly host: string;
}

/** What is to run, whether as a process or in a container. */
export interface ServerPlan {
  /** What it is among the servers of its broker: "server", "primary", "replica", "sentinel". */
  readonly role: string;
  readonly program: Program;
  readonly port: number;
  /** What else it listens at: to be free as well. */
  readonly otherPorts: readonly number[];
  /** After the program's name. */
  args(place: Place): readonly string[];
  /** By name; its data belongs into the folder `data` beside them. */
  files(place: Place): Readonly<Record<string, string>>;
  /** Asks it once; resolves with its version when it serves, rejects when it does not, and does so within a second or two. */
  probe(): Promise<string>;
}

/** A server that was started. Every method resolves once it has happened. */
export interface Server extends AsyncDisposable {
  readonly plan: ServerPlan;
  /** Undefined while it does not run, and where it is not a process of this machine. */
  readonly pid: number | undefined;
  /** Resolves with its version once it serves. */
  start(): Promise<string>;
  /** Ends it in good order; nothing when it does not run. */
  stop(): Promise<void>;
  /** SIGKILL; nothing when it does not run. */
  kill(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Forgets what it has stored. It must not run. */
  wipe(): Promise<void>;
}

/** That a server ended before it served: its last words say why. */
export class EarlyEnd extends Error {
  readonly portTaken: boolean;

  constructor(program: string, how: string, lastWords: string) {
    super(`${program} ended (${how}) before it served: ${lastWords.trim().split("\n").slice(-8).join("\n")}`);
    this.portTaken = /address already in use|address in use|bind:/i.test(lastWords);
  }
}
