import { exitCodes } from "./failure.ts";

const lookMs = 1_000;

/**
 * In a process that another one forked: ends with it, at once, however that one ended. What tells is the channel between
 * the two, which the operating system closes even when the parent is killed. In a process that npm runs: drains and ends
 * when npm is gone, of which nothing tells but that there is another parent then.
 */
export function endWithParent(): void {
  // Undefined where there never was a channel; false where it has closed already.
  if (process.connected !== undefined) {
    const end = (): void => process.exit(exitCodes.failed);
    if (process.connected) process.once("disconnect", end);
    else end();
  } else if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid;
    const looking = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(looking);
      process.kill(process.pid, "SIGTERM");
    }, lookMs);
    looking.unref();
  }
}
