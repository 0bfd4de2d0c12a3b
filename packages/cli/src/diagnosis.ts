import { readFile } from "node:fs/promises";
import type { Bus } from "@quadrant/contract";
import type { Latency } from "./round-trip.ts";

/** What one check found. `fix` says what to do about it. */
export interface Finding {
  readonly check: string;
  readonly level: "ok" | "warning" | "broken";
  readonly detail: string;
  readonly fix?: string | undefined;
}

const leastNode: readonly [major: number, minor: number] = [22, 18];
const leastOpenFiles = 1_024;
const slowCallMs = 100;
const clockSkewMs = 5_000;

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const enough = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
  return {
    check: "node",
    level: enough ? "ok" : "broken",
    detail: `Node ${version}`,
    fix: enough ? undefined : `install Node ${leastNode.join(".")} or newer`,
  };
}

/** `limits` is the text of /proc/self/limits; undefined where there is none. */
export function checkOpenFiles(limits: string | undefined): Finding | undefined {
  const soft = limits?.match(/^Max open files\s+(\d+)/m)?.[1];
  if (soft === undefined) return undefined;
  const few = Number(soft) < leastOpenFiles;
  return {
    check: "open files",
    level: few ? "warning" : "ok",
    detail: `at most ${soft}`,
    fix: few ? `raise it: ulimit -n ${leastOpenFiles * 4}` : undefined,
  };
}

/** The limits of this process; undefined on systems that have no such file. */
export async function readLimits(): Promise<string | undefined> {
  return readFile("/proc/self/limits", "utf8").catch(() => undefined);
}

/** Whether a password stands where other users of the machine can read it. */
export function checkExposure(argument: string | undefined): Finding | undefined {
  if (argument === undefined || !/^[a-z][a-z0-9+.-]*:\/\/[^/@]*:[^@]*@/i.test(argument)) return undefined;
  return {
    check: "password",
    level: "warning",
    detail: "it stands on the command line, where `ps` shows it to every user of this machine",
    fix: "put the URL into QUADRANT_URL",
  };
}

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/i;

/** Whether others on the network can read along. */
export function checkTransport(url: string, authenticated: boolean): Finding | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.hostname === "" || loopback.test(parsed.hostname) || authenticated)
    return undefined;
  return {
    check: "transport",
    level: "warning",
    detail: `${parsed.hostname} is another machine, and the connection is neither authenticated nor encrypted`,
    fix: "use it within a network you trust, or through a tunnel (ssh -L)",
  };
}

export function checkDurability(bus: Pick<Bus, "support" | "driver">): Finding {
  const durability = bus.support.durability;
  if (durability === undefined || durability.how === "refused") {
    return {
      check: "durability",
      level: "warning",
      detail: durability?.note ?? "the driver does not say whether acknowledged work survives a restart",
      fix: "take acknowledged letters, entries and tuples as lost when the broker stops, or use a durable one",
    };
  }
  return { check: "durability", level: "ok", detail: durability.note };
}

export function checkLatency(name: string, latency: Latency): Finding {
  const slow = latency.p50 > slowCallMs;
  return {
    check: name,
    level: slow ? "warning" : "ok",
    detail: `${latency.p50.toFixed(2)} ms at the median, ${latency.p99.toFixed(2)} ms at the 99th percentile`,
    fix: slow ? "look at the load of both machines and the way between them" : undefined,
  };
}

/** The broker's clock against ours, from a letter's time of sending. */
export function checkClock(sentAt: Date, now: number): Finding {
  const skew = Math.abs(sentAt.getTime() - now);
  const wrong = skew > clockSkewMs;
  return {
    check: "clock",
    level: wrong ? "warning" : "ok",
    detail: wrong ? `${Math.round(skew / 1_000)} s apart from the broker's` : "as the broker's",
    fix: wrong
      ? "synchronise the clocks of both machines (NTP): times in logs and dead letters are the broker's"
      : undefined,
  };
}
