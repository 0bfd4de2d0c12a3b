import { matchesSubject } from "@quadrant/contract";
import { checkLoans, deliveriesOf } from "./delivery.ts";
import { addTo } from "./grouping.ts";
import type { Operation, Operations } from "./operation.ts";
import type { Findings } from "./violation.ts";

/** What stands at a sequence, by whoever said so first. */
interface Entry {
  readonly seq: number;
  readonly content: string;
  readonly subject: string;
  /** Its append, where that one learnt the sequence. */
  readonly append: Operation | undefined;
  readonly teller: Operation;
}

/** How long an id is remembered, in microseconds. */
const idWindowUs = 120_000_000;

function contentOf(subject: string | undefined, data: string | undefined): string {
  return `${subject}\n${data}`;
}

/** What is known of the entries of one log. */
class Ledger {
  readonly entries: Map<number, Entry> = new Map();
  readonly #on: string;
  readonly #findings: Findings;
  readonly #ids = new Map<string, Operation>();
  readonly #maybe = new Map<string, Operation[]>();
  readonly #failed = new Map<string, Operation>();

  constructor(on: string, findings: Findings) {
    this.#on = on;
    this.#findings = findings;
  }

  report(rule: string, message: string, operations: readonly Operation[]): void {
    this.#findings.violations.push({ model: "log", rule, on: this.#on, message, operations });
  }

  append(operation: Operation): void {
    const { args, value, outcome } = operation;
    const content = contentOf(args.subject, args.data);
    if (outcome === "indefinite") addTo(this.#maybe, content, operation);
    else if (outcome === "failed") this.#failed.set(content, operation);
    if (outcome !== "done" || value.seq === undefined) return;
    const { seq, duplicate } = value;
    const first = args.id === undefined ? undefined : this.#ids.get(args.id);
    if (args.id !== undefined && first === undefined) this.#ids.set(args.id, operation);
    if (duplicate) {
      if (first !== undefined && first.value.seq !== seq) {
        this.report("wrong-duplicate", `${args.id} is entry ${first.value.seq}, not ${seq}`, [first, operation]);
      }
      return;
    }
    if (first !== undefined && first !== operation && operation.began - first.ended < idWindowUs) {
      this.report("stored-twice", `${args.id} was stored twice`, [first, operation]);
    }
    const known = this.entries.get(seq);
    if (known !== undefined)
      this.report("seq-twice", `two entries have the sequence ${seq}`, [known.teller, operation]);
    this.entries.set(seq, { seq, content, subject: args.subject ?? "", append: operation, teller: operation });
  }

  /** An entry as a reader got it. */
  read(reader: Operation, seq: number, subject: string | undefined, data: string | undefined): void {
    this.#findings.steps++;
    const content = contentOf(subject, data);
    const known = this.entries.get(seq);
    if (known?.content === content) return;
    if (known !== undefined) {
      const rule = known.append === undefined ? "replay-differs" : "altered";
      this.report(rule, `entry ${seq} is ${content} here, ${known.content} there`, [known.teller, reader]);
      return;
    }
    const append = this.#maybe.get(content)?.shift();
    this.entries.set(seq, { seq, content, subject: subject ?? "", append: undefined, teller: reader });
    if (append !== undefined) return;
    const failed = this.#failed.get(content);
    if (failed !== undefined) this.report("failed-yet-there", `entry ${seq}: its append failed`, [failed, reader]);
    else this.report("invented", `entry ${seq}: nobody has appended ${content}`, [reader]);
  }
}

/** One total order, in which an append stands before those that began after it had ended. */
function checkOrder(appended: readonly Entry[], ledger: Ledger, findings: Findings): void {
  let soonest: Entry | undefined;
  for (const entry of appended.toReversed()) {
    findings.steps++;
    if (soonest !== undefined && soonest.append!.ended < entry.append!.began) {
      const message = `entry ${soonest.seq} was appended before entry ${entry.seq}, and stands behind it`;
      ledger.report("out-of-order", message, [soonest.append!, entry.append!]);
    }
    if (soonest === undefined || entry.append!.ended < soonest.append!.ended) soonest = entry;
  }
}

/** Sequences go up, and nothing that was acknowledged is left out in between, or before the end. */
function checkReading(read: Operation, appended: readonly Entry[], ledger: Ledger, whole: boolean): void {
  const { args, got, outcome } = read;
  let last = args.from === "first" ? 0 : undefined;
  let at = 0;
  const skipped = (to: number): void => {
    for (; at < appended.length && appended[at]!.seq < to; at++) {
      const entry = appended[at]!;
      if (last === undefined || entry.seq <= last || !whole) continue;
      if (args.pattern !== undefined && !matchesSubject(args.pattern, entry.subject)) continue;
      if (to === Number.POSITIVE_INFINITY && entry.append!.ended >= read.began) continue;
      ledger.report("lost", `entry ${entry.seq} was acknowledged and not read`, [entry.append!, read]);
    }
  };
  for (const [index, { value }] of got.entries()) {
    const seq = value.seq ?? 0;
    if (last !== undefined && seq <= last && index > 0) {
      ledger.report("read-out-of-order", `entry ${seq} came after entry ${last}`, [read]);
    }
    skipped(seq);
    last = Math.max(last ?? seq, seq);
  }
  if (args.to === "end" && outcome === "done" && (got.length > 0 || args.from === "first")) {
    skipped(Number.POSITIVE_INFINITY);
  }
}

function checkDurables(on: string, operations: Operations, own: readonly Operation[], findings: Findings): void {
  const members = own.filter(({ op }) => op === "log.subscribe");
  const settlements = own.filter(({ op }) => op.startsWith("delivery."));
  const redriven = own.some(({ op }) => op === "log.redrive");
  for (const ofOne of Map.groupBy(members, ({ args }) => args.durable).values()) {
    const leaseMs = ofOne.find(({ args }) => args.leaseMs !== undefined)?.args.leaseMs;
    checkLoans("log", on, deliveriesOf(operations, ofOne, settlements, leaseMs), redriven, findings);
  }
}

/** Looks at the operations on one log. */
export function checkLog(on: string, operations: Operations, own: readonly Operation[], findings: Findings): void {
  // One that was destroyed begins anew, with the same sequences.
  if (own.some(({ op }) => op === "log.destroy")) {
    findings.count("logsUnjudged");
    return;
  }
  const ledger = new Ledger(on, findings);
  const appends = own.filter(({ op }) => op === "log.append").toSorted((a, b) => a.began - b.began);
  for (const operation of appends) ledger.append(operation);
  const reads = own.filter(({ op }) => op === "log.read");
  for (const reader of own.filter(({ op }) => op === "log.read" || op === "log.subscribe")) {
    for (const { value } of reader.got) ledger.read(reader, value.seq ?? 0, value.subject, value.data);
  }
  const appended = [...ledger.entries.values()].filter(({ append }) => append !== undefined);
  appended.sort((a, b) => a.seq - b.seq);
  findings.count("entriesAppended", appended.length);
  findings.count(
    "entriesRead",
    reads.reduce((sum, { got }) => sum + got.length, 0),
  );
  checkOrder(appended, ledger, findings);
  const limited = own.some(({ op, args }) => op === "log.open" && args.limited === true);
  for (const read of reads) checkReading(read, appended, ledger, !limited);
  checkDurables(on, operations, own, findings);
}
