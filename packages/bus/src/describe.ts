import { type Bus, BusError } from "@quadrant/contract";
import { ConnectedBus } from "./connected-bus.ts";

/**
 * Counters and versions of client and broker, as the driver gives them: for people and tools to look at, with no
 * promise of what is in it. "invalid" for what `connect` did not return.
 */
export async function describe(bus: Bus): Promise<Readonly<Record<string, unknown>>> {
  if (!(bus instanceof ConnectedBus)) throw new BusError("invalid", "describe takes a bus that connect returned");
  return bus.describe();
}
