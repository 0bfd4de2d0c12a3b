/** Calls a server from many lanes, and times each call. */
import { defineRole, nowMs, type Role } from "../../site/role.ts";

export interface Calling {
  readonly name: string;
  readonly calls: number;
  readonly inFlight: number;
}

interface Handler {
  handle(): Promise<number>;
}

const role: Role<undefined> = defineRole((bus) => ({
  /** The times of all calls, in ms, and how long all took. */
  call: async ({
    name,
    calls,
    inFlight,
  }: Calling): Promise<{ readonly times: readonly number[]; readonly tookMs: number }> => {
    const callee = bus.client<Handler>(name, { timeoutMs: 20_000 });
    const times: number[] = [];
    let left = calls;
    const began = nowMs();
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const at = nowMs();
        await callee.handle();
        times.push(nowMs() - at);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return { times, tookMs: nowMs() - began };
  },
}));
export default role;
