import { randomUUID } from "node:crypto";
import type { Bus } from "@quadrant/bus";
import { untilStopped } from "./consumers/running.ts";
import { DeadlineHeap } from "./match/deadline-heap.ts";
import { type Entry, subjectOf } from "./match/entry.ts";
import { readLog } from "./match/log-reading.ts";

/** How long it waits for the end that it has claimed, before it claims again. */
const againMs = 1_000;
const longestTimerMs = 2 ** 31 - 1;

interface Clock {
  readonly turnMs: number;
  running: boolean;
  deadline: number;
}

/**
 * Claims the time of seats that have thought too long. The deadlines follow from the log, so it may be away or killed: what has
 * passed meanwhile is claimed when one is back. Any number may run; the referee decides, and the log keeps one end.
 */
export async function startTimekeeper(bus: Bus, now: () => number = Date.now): Promise<AsyncDisposable> {
  return untilStopped(async (signal) => {
    const clocks = new Map<string, Clock>();
    const heap = new DeadlineHeap();
    let timer: NodeJS.Timeout | undefined;
    const arm = (): void => {
      clearTimeout(timer);
      const first = heap.first();
      if (first === undefined || signal.aborted) return;
      timer = setTimeout(ring, Math.min(Math.max(first.at - now(), 0), longestTimerMs));
    };
    const ring = (): void => {
      for (let due = heap.first(); due !== undefined && due.at <= now(); due = heap.first()) {
        heap.pop();
        const clock = clocks.get(due.key);
        // Moves have put it off since.
        if (clock === undefined || !clock.running || clock.deadline > due.at) continue;
        const command = { v: 1, id: `clock-${randomUUID()}`, kind: "claim-time" };
        void bus.publish(`${due.key}.command`, command).catch(() => undefined);
        clock.deadline = now() + againMs;
        heap.push(clock.deadline, due.key);
      }
      arm();
    };
    try {
      for await (const { game, match, entry } of readLog(bus, signal)) {
        const key = subjectOf(game, match);
        if (!wind(clocks, key, entry)) continue;
        const clock = clocks.get(key);
        if (clock !== undefined) heap.push(clock.deadline, key);
        arm();
      }
    } finally {
      clearTimeout(timer);
    }
  });
}

/** Whether there is a new deadline. */
function wind(clocks: Map<string, Clock>, key: string, { at, events }: Entry): boolean {
  let wound = false;
  for (const fact of events) {
    if (fact.kind === "created" && fact.turnMs !== undefined) {
      const running = fact.seats.every((seat) => seat !== null);
      clocks.set(key, { turnMs: fact.turnMs, running, deadline: at + fact.turnMs });
      wound = running;
    }
    const clock = clocks.get(key);
    if (clock === undefined) return false;
    if (fact.kind === "joined" || fact.kind === "moved") {
      clock.running = true;
      clock.deadline = at + clock.turnMs;
      wound = true;
    }
    if (fact.kind === "ended") {
      clocks.delete(key);
      return false;
    }
  }
  return wound;
}
