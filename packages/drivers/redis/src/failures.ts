import { BusError, type BusErrorCode } from "@quadrant/contract";
import type { ReplyError } from "./resp/reply-reader.ts";

/** The codes of this driver's own scripts, and what they mean. */
const own: Readonly<Record<string, BusErrorCode>> = {
  QCONFLICT: "conflict",
  QGAP: "gap",
  QFULL: "overflow",
  QSCAN: "overflow",
  QLARGE: "too-large",
  QSTALE: "stale",
};

/** The server answered with an error: nothing has happened. */
export function failureOf(error: ReplyError, what: string): BusError {
  const detail = { driver: "redis" };
  const { code, message } = error;
  const known = own[code];
  if (known !== undefined) return new BusError(known, message.slice(code.length + 1).trimEnd(), detail);
  if (message.includes("NOPERM")) return new BusError("denied", `${what}: this user may not: ${message}`, detail);
  if (message.includes("OOM command"))
    return new BusError("overflow", `${what}: the server's memory is full (maxmemory): make room or raise it`, detail);
  if (message.includes("MISCONF"))
    return new BusError("overflow", `${what}: the server cannot write to its disk: ${message}`, detail);
  if (code === "BUSY") return new BusError("unavailable", `${what}: the server is busy with a script`, detail);
  if (code === "WRONGTYPE")
    return new BusError("conflict", `${what}: its key holds something that Quadrant did not put there`, detail);
  return new BusError("unavailable", `${what}: the server says: ${message}`, detail);
}
