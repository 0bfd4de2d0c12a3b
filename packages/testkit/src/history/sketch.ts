import type { Details, HistoryEvent, Outcome } from "./event.ts";
import { greatest } from "./grouping.ts";

/** An operation of a history that nobody recorded: for tests of the checkers. */
export interface Drawn {
  readonly process: string;
  readonly op: string;
  readonly on: string;
  readonly args: Details;
  /** Microseconds. */
  readonly began: number;
  /** Undefined: it never returned. */
  readonly ended?: number | undefined;
  readonly outcome?: Outcome | undefined;
  readonly code?: string | undefined;
  readonly value?: Details | undefined;
  readonly got?: readonly (readonly [us: number, value: Details])[] | undefined;
  /** Its number, where others go on with it; else its place among those of its process. */
  readonly n?: number | undefined;
}

/** The history of such operations, as a recorder would have noted it down. */
export function sketch(drawn: readonly Drawn[], killed: readonly string[] = []): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const moments = drawn.flatMap(({ began, ended, got }) => [began, ended ?? 0, ...(got ?? []).map(([us]) => us)]);
  const last = greatest(moments, 0);
  for (const [process, own] of Map.groupBy(drawn, (each) => each.process)) {
    const at = 0;
    events.push({ kind: "process", process, us: 0, at, pid: 1, clock: "test", driver: "memory" });
    for (const [index, { op, on, args, began, ended, outcome = "done", code, value, got = [], n }] of own.entries()) {
      const number = n ?? 1_000 + index;
      events.push({ kind: "invoke", process, us: began, at, n: number, op, on, args });
      for (const [us, details] of got) events.push({ kind: "got", process, us, at, n: number, value: details });
      if (ended === undefined) continue;
      events.push({
        ...{ kind: "return", process, us: ended, at, n: number, outcome },
        ...(code !== undefined && { code }),
        ...(value !== undefined && { value }),
      } as HistoryEvent);
    }
    if (!killed.includes(process)) events.push({ kind: "end", process, us: last + 1, at });
  }
  return events;
}
