import { checkCalls } from "./call-checker.ts";
import type { HistoryEvent } from "./event.ts";
import { addTo } from "./grouping.ts";
import { checkLog } from "./log-checker.ts";
import { checkMailbox } from "./mailbox-checker.ts";
import { type Operation, Operations } from "./operation.ts";
import { checkSpace } from "./space-checker.ts";
import { checkTopics } from "./topic-checker.ts";
import { Findings, type Violation } from "./violation.ts";

/** What a history shows. */
export interface Report {
  readonly violations: readonly Violation[];
  /** What was counted, model by model: also what could not be judged. */
  readonly counts: Readonly<Record<string, number>>;
  readonly processes: number;
  readonly operations: number;
  /** Of these nobody knows whether they happened. */
  readonly indefinite: number;
  /** The work of checking, in elementary steps. */
  readonly steps: number;
}

/** By process and number: the operations that go on with another. */
function continuationsOf(all: readonly Operation[]): ReadonlyMap<string, readonly Operation[]> {
  const found = new Map<string, Operation[]>();
  for (const operation of all) {
    const { process, args } = operation;
    if (args.of === undefined) continue;
    addTo(found, `${process} ${args.of}`, operation);
  }
  return found;
}

function grouped(all: readonly Operation[], belongs: (op: string) => boolean): Map<string, Operation[]> {
  const groups = new Map<string, Operation[]>();
  for (const operation of all) {
    if (belongs(operation.op)) addTo(groups, operation.on, operation);
  }
  return groups;
}

/** A history that cannot be judged as a whole passes none the less for one that can: it says so. */
function checkWhole(operations: Operations, findings: Findings): void {
  const report = (rule: string, message: string): void => {
    findings.violations.push({ model: "history", rule, on: "", message, operations: [] });
  };
  if (operations.cut) report("cut", "a recording was full, and what followed is not in it: record to a file");
  const clocks = new Set([...operations.processes.values()].map(({ clock }) => clock));
  if (clocks.size > 1) {
    report("clocks", "its processes are of several machines, whose monotonic clocks cannot be compared");
  }
}

/**
 * Looks for promises of the bus that the history shows to be broken. What it cannot decide, since an outcome is not known,
 * it counts and does not report. Throws "codec" for what is no history.
 */
export function check(history: Iterable<HistoryEvent>): Report {
  const operations = Operations.of(history);
  const findings = new Findings();
  const continuations = continuationsOf(operations.all);
  checkWhole(operations, findings);
  const { all } = operations;
  for (const [on, own] of grouped(all, (op) => op.startsWith("space."))) {
    checkSpace(on, operations, own, continuations, findings);
  }
  const received = (op: string): boolean => op.startsWith("delivery.");
  const logs = grouped(all, (op) => op.startsWith("log.") || received(op));
  const mailboxes = grouped(all, (op) => op.startsWith("mailbox.") || received(op));
  for (const [on, own] of logs)
    if (own.some(({ op }) => op.startsWith("log."))) checkLog(on, operations, own, findings);
  for (const [on, own] of mailboxes) {
    if (own.some(({ op }) => op.startsWith("mailbox."))) checkMailbox(on, operations, own, findings);
  }
  checkTopics(operations, continuations, findings);
  for (const [on, own] of grouped(all, (op) => op === "call" || op === "execute" || op === "serve")) {
    checkCalls(on, own, findings);
  }
  const indefinite = operations.all.filter(({ outcome }) => outcome === "indefinite").length;
  return {
    violations: findings.violations,
    counts: findings.counts,
    processes: operations.processes.size,
    operations: operations.all.length,
    indefinite,
    steps: findings.steps,
  };
}
