import { exitCodes } from "./failure.ts";

/**
 * In a process that another one forked: ends with it, at once, however that one ended. What tells is the channel between
 * the two, which the operating system closes even when the parent is killed.
 */
export function endWithParent(): void {
  // Undefined where there never was a channel; false where it has closed already.
  if (process.connected === undefined) return;
  const end = (): void => process.exit(exitCodes.failed);
  if (process.connected) process.once("disconnect", end);
  else end();
}
