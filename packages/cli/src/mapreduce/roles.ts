import type { Bus } from "@quadrant/contract";
import { startRoles } from "@quadrant/mapreduce";
import type { KeyOptions } from "../key-file.ts";
import type { Output } from "../output.ts";
import { howOf, RoleProcess } from "./role-process.ts";

/** Whoever does the work of a job: processes, or, where the bus is private to this one, roles in it. */
export interface Crew {
  /** `atOnce`: there is nothing left to drain to. */
  stop(atOnce: boolean): Promise<void>;
}

export interface CrewOptions {
  readonly url: string;
  readonly keys: KeyOptions;
  readonly workers: number;
  readonly output: Output;
  readonly onFailure: (error: unknown) => void;
}

/** Whether nobody but this process can reach the bus. */
export function isPrivate(url: string): boolean {
  return /^(memory|file):/i.test(url);
}

/** A resource manager, an application master's host, and a node manager with its workers: each a process that is replaced when it dies. */
export function startProcesses({ url, keys, workers, output, onFailure }: CrewOptions): Crew {
  const env = { QUADRANT_URL: url, QUADRANT_KEY_FILE: keys.keyFile, QUADRANT_SERVER_KEY: keys.serverKey };
  const keep = (...args: readonly string[]): RoleProcess =>
    new RoleProcess({
      args: ["mapreduce", ...args, "--quiet"],
      env,
      told: (text) => void process.stderr.write(text),
      onDeath: (exit) => output.warn(`the ${args[0]} died of ${howOf(exit)}; another takes its place`),
      onFailure,
    });
  const roles = [
    keep("node-manager", "--slots", String(workers)),
    keep("application-master"),
    keep("resource-manager"),
  ];
  return {
    stop: async (atOnce) => {
      await Promise.all(roles.map((role) => role.stop(atOnce)));
    },
  };
}

export function startHere(bus: Bus, { workers, onFailure }: CrewOptions): Crew {
  const roles = startRoles(bus, { workers });
  roles.failed.catch(onFailure);
  return { stop: () => Promise.resolve(roles[Symbol.asyncDispose]()) };
}
