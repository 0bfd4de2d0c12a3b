/** The only list of drivers: which scheme is whose. A driver's package is loaded when a URL first asks for it. */
import { BusError, type OpenDriver } from "@quadrant/contract";

interface DriverModule {
  readonly open: OpenDriver;
}

const memory = (): Promise<DriverModule> => import("@quadrant/memory");
const zeromq = (): Promise<DriverModule> => import("@quadrant/zeromq");
const nats = (): Promise<DriverModule> => import("@quadrant/nats");
const redis = (): Promise<DriverModule> => import("@quadrant/redis");

const modules: ReadonlyMap<string, () => Promise<DriverModule>> = new Map([
  ["memory:", memory],
  ["file:", memory],
  ["zmq:", zeromq],
  ["zmq+ipc:", zeromq],
  ["nats:", nats],
  ["tls:", nats],
  ["redis:", redis],
  ["rediss:", redis],
  ["redis+sentinel:", redis],
  ["redis+cluster:", redis],
]);

/** The schemes that `connect` takes, each with its colon. */
export const schemes: readonly string[] = [...modules.keys()];

/** Loads the driver of a scheme. "unsupported" where there is none, or where its package cannot be loaded here. */
export async function loadDriver(scheme: string): Promise<OpenDriver> {
  const load = modules.get(scheme);
  if (load === undefined) {
    throw new BusError("unsupported", `no driver for ${scheme} in this release; there are ${schemes.join(" ")}`);
  }
  try {
    return (await load()).open;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause);
    throw new BusError("unsupported", `the driver for ${scheme} cannot be loaded here: ${why}`, { cause });
  }
}
