export type { Chance, Delay, Direction, Faults, Limit, Slices } from "./direction.ts";
export { type FaultProxy, type FaultProxyOptions, faultProxy } from "./proxy.ts";
export { type SmallDisk, smallDisk } from "./small-disk.ts";
