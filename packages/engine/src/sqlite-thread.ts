/** The thread of a journal: does what it is told, one order after the other; of one journal at a time. */
import { parentPort } from "node:worker_threads";
import { isBusError } from "@quadrant/contract";
import type { JournalAnswer, JournalOrder, SqliteJournalOptions } from "./journal-order.ts";
import { SqliteFile } from "./sqlite-file.ts";
import { TailFiles } from "./tail-files.ts";

const port = parentPort!;

function say(answer: JournalAnswer): void {
  port.postMessage(answer);
}

/** Answers with what the work returns; undefined: it was answered already. */
function attempt(work: () => JournalAnswer | undefined): void {
  try {
    const answer = work();
    if (answer !== undefined) say(answer);
  } catch (error) {
    if (isBusError(error)) say({ kind: "failed", code: error.code, message: error.message });
    else say({ kind: "failed", code: "unavailable", message: `the journal failed: ${String(error)}` });
  }
}

let file: SqliteFile | undefined;
let tail: TailFiles | undefined;
let portions: ReturnType<SqliteFile["load"]> | undefined;

function done(): JournalAnswer {
  return { kind: "done", freeBytes: file!.freeBytes() };
}

function open(options: SqliteJournalOptions): JournalAnswer {
  file = SqliteFile.open(options);
  tail = new TailFiles(options.folder, file);
  tail.recover();
  return done();
}

function load(): JournalAnswer | undefined {
  portions ??= file!.load();
  const { value: rows } = portions.next();
  if (rows === undefined) return done();
  port.postMessage({ kind: "rows", rows } satisfies JournalAnswer, [rows.buffer]);
  return undefined;
}

function commit(changes: Uint8Array<ArrayBuffer>): JournalAnswer | undefined {
  try {
    return { kind: "done", freeBytes: file!.commit(Buffer.from(changes.buffer, 0, changes.length)) };
  } catch (error) {
    if (!isBusError(error, "overflow")) throw error;
    port.postMessage({ kind: "refused", changes } satisfies JournalAnswer, [changes.buffer]);
    return undefined;
  }
}

/** No tail is no failure: there may be no room. */
function makeTail(): JournalAnswer {
  try {
    return { kind: "tail", bytes: tail!.make() };
  } catch {
    tail!.remove();
    return done();
  }
}

function applyTail({ index, bytes, clear }: Extract<JournalOrder, { kind: "apply" }>): JournalAnswer {
  try {
    const size = tail!.apply(index, bytes);
    if (clear) tail!.clear(index);
    return { kind: "tail", bytes: size };
  } catch (error) {
    if (!isBusError(error, "overflow")) throw error;
    return { kind: "full" };
  }
}

function close(keepTail: boolean): JournalAnswer {
  if (!keepTail) tail!.remove();
  file!.close();
  file = undefined;
  tail = undefined;
  portions = undefined;
  return { kind: "done", freeBytes: 0 };
}

function follow(order: JournalOrder): JournalAnswer | undefined {
  switch (order.kind) {
    case "open":
      return open(order.options);
    case "load":
      return load();
    case "commit":
      return commit(order.changes);
    case "tail":
      return makeTail();
    case "apply":
      return applyTail(order);
    case "close":
      return close(order.keepTail);
    case "end":
      port.close();
      return undefined;
  }
}

port.on("message", (order: JournalOrder) => attempt(() => follow(order)));
