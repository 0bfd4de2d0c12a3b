import { BusError } from "@quadrant/contract";
import { listOf, type Reply, ReplyError, textOf } from "../resp/reply-reader.ts";
import type { Wire } from "./wire.ts";

/** What a server says of itself. */
export interface About {
  readonly version: string;
  readonly product: "Redis" | "Valkey";
  readonly replica: boolean;
  readonly loading: boolean;
  /** How what is acknowledged is kept: "no", or the fsync policy of the append-only file. */
  readonly keeps: "no" | "always" | "everysec" | "os";
  /** Under memory pressure keys vanish. */
  readonly evicts: boolean;
  readonly policy: string;
  /** What its clock is ahead of that of this process, in milliseconds. */
  readonly aheadMs: number;
}

function fieldsOf(info: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of info.split("\r\n")) {
    const at = line.indexOf(":");
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1));
  }
  return fields;
}

async function fsyncOf(wire: Wire): Promise<string> {
  try {
    return textOf(listOf(await wire.ask(["CONFIG", "GET", "appendfsync"]))[1]);
  } catch (error) {
    // Managed servers do not tell.
    if (error instanceof ReplyError) return "everysec";
    throw error;
  }
}

/** Asks the server. Throws "unsupported" where it is too old. */
export async function lookAt(wire: Wire): Promise<About> {
  const info = fieldsOf(textOf((await wire.ask(["INFO"])) as Reply));
  const version = info.get("redis_version") ?? "0";
  if (Number.parseInt(version, 10) < 7) {
    const message = `Redis ${version} is too old for this driver: it needs 7.0 or newer, or Valkey`;
    throw new BusError("unsupported", message, { driver: "redis" });
  }
  const valkey = info.get("valkey_version");
  const clock = info.get("server_time_usec");
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  const fsync = info.get("aof_enabled") === "1" ? await fsyncOf(wire) : "off";
  return {
    version: valkey ?? version,
    product: valkey === undefined ? "Redis" : "Valkey",
    replica: info.get("role") === "slave",
    loading: info.get("loading") === "1" || info.get("async_loading") === "1",
    keeps: fsync === "off" ? "no" : fsync === "always" || fsync === "everysec" ? fsync : "os",
    evicts: policy !== "noeviction" && info.get("maxmemory") !== "0",
    policy,
    aheadMs: clock === undefined ? 0 : Number(clock) / 1_000 - Date.now(),
  };
}
