/** A server of one of four kinds, whose calls take some time of a processor and some of waiting. */
import { setTimeout as pause } from "node:timers/promises";
import { Tinypool } from "tinypool";
import { defineRole, type Role } from "../../site/role.ts";
import { burn } from "./burning.ts";

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

export interface ServerInput {
  readonly name: string;
  readonly kind: "iterative" | "concurrent" | "threaded";
  /** Of each call: waiting, as for a disk or another server; and work. */
  readonly waitMs: number;
  readonly workMs: number;
}

const role: Role<ServerInput> = defineRole(async (bus, { name, kind, waitMs, workMs }) => {
  const pool =
    kind === "threaded"
      ? new Tinypool({
          filename: new URL(`./burning.${extension}`, import.meta.url).href,
          minThreads: 2,
          maxThreads: 2,
        })
      : undefined;
  const handle = async (): Promise<number> => {
    await pause(waitMs);
    if (pool === undefined) burn(workMs);
    else await pool.run(workMs);
    return process.pid;
  };
  await bus.serve(name, { handle }, kind === "iterative" ? { concurrency: 1 } : {});
  return { leave: () => pool?.destroy() };
});
export default role;
