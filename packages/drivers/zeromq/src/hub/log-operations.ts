import {
  BusError,
  checkCount,
  checkDuration,
  checkName,
  checkPattern,
  checkToken,
  type LogPage,
} from "@quadrant/contract";
import { Operation } from "../wire/operation.ts";
import { deadRow, entryRow, readSettlement, readStart, settledRow } from "../wire/transfer.ts";
import type { Values } from "../wire/values.ts";
import { maxPayloadBytes, responseBytes } from "./limits.ts";
import { assertKept, doubted, loanOutcome } from "./loans.ts";
import type { HubOperation } from "./operations.ts";
import { count } from "./queue-operations.ts";

function log(values: Values): string {
  const name = values.string(0);
  checkToken("log", name);
  return name;
}

function durable(values: Values): string {
  const name = values.string(1);
  checkToken("durable", name);
  return name;
}

function filter(values: Values, index: number): string | undefined {
  const pattern = values.optionalString(index);
  if (pattern !== undefined) checkPattern("filter", pattern);
  return pattern;
}

function plain(run: HubOperation["run"]): HubOperation {
  return { waits: false, captures: false, run };
}

/** As many entries as one response carries, at least one. */
function cut(page: LogPage): LogPage {
  let bytes = 0;
  for (const [index, entry] of page.entries.entries()) {
    bytes += entry.body.length;
    if (bytes > responseBytes && index > 0) return { entries: page.entries.slice(0, index), next: entry.seq };
  }
  return page;
}

/** Logs and their durables. Each value list begins with the log's name. */
export const logOperations: readonly (readonly [number, HubOperation])[] = [
  [
    // [log, maxAgeMs?, maxBytes?, maxMessages?]
    Operation.logOpen,
    plain(async (session, values, _, { again }) => {
      const maxAgeMs = values.optionalNumber(1);
      const maxBytes = values.optionalNumber(2);
      const maxMessages = values.optionalNumber(3);
      checkDuration("maxAgeMs", maxAgeMs, 1);
      checkCount("maxBytes", maxBytes);
      checkCount("maxMessages", maxMessages);
      if (again) assertKept(session, "log", log(values));
      await session.engine.logs.open(log(values), { maxAgeMs, maxBytes, maxMessages });
      return { values: [] };
    }),
  ],
  [
    // [log, subject, headers, contentType, body, id?, expectLast?] → [seq, duplicate]
    Operation.logAppend,
    plain(async (session, values) => {
      const subject = values.string(1);
      checkName("subject", subject);
      const body = values.bytes(4);
      if (body.length > maxPayloadBytes)
        throw new BusError("too-large", `an entry has at most ${maxPayloadBytes} bytes here`);
      const entry = {
        subject,
        headers: values.headers(2),
        contentType: values.string(3),
        body,
        id: values.optionalString(5),
        expectLast: values.optionalNumber(6),
      };
      const appended = await session.engine.logs.append(log(values), entry);
      return { values: [appended.seq, appended.duplicate] };
    }),
  ],
  [
    // [log, from, filter?, max, follow] → [entries, next]
    Operation.logRead,
    {
      waits: true,
      captures: false,
      run: async (session, values, signal) => {
        const request = {
          from: readStart(values, 1) ?? "first",
          filter: filter(values, 2),
          max: count(values, 3),
          follow: values.boolean(4),
          signal,
        };
        const page = cut(await session.engine.logs.read(log(values), request));
        return { values: [page.entries.map(entryRow), page.next] };
      },
    },
  ],
  [
    // [log, subject] → [entry or null]
    Operation.logLast,
    plain(async (session, values) => {
      const entry = await session.engine.logs.last(log(values), values.string(1));
      return { values: [entry === undefined ? null : entryRow(entry)] };
    }),
  ],
  [
    // [log] → [first, last, count, bytes]
    Operation.logInfo,
    plain(async (session, values) => {
      const info = await session.engine.logs.info(log(values));
      return { values: [info.first, info.last, info.count, info.bytes] };
    }),
  ],
  [
    // [log]
    Operation.logDestroy,
    plain(async (session, values) => {
      await session.engine.logs.destroy(log(values));
      return { values: [] };
    }),
  ],
  [
    // [log, durable, from?, filter?, leaseMs?, maxAttempts?] → [leaseMs]
    Operation.durableOpen,
    plain(async (session, values) => {
      const leaseMs = values.optionalNumber(4);
      const maxAttempts = values.optionalNumber(5);
      checkDuration("leaseMs", leaseMs, 1);
      checkCount("maxAttempts", maxAttempts);
      const spec = {
        durable: durable(values),
        from: readStart(values, 2),
        filter: filter(values, 3),
        leaseMs,
        maxAttempts,
      };
      return { values: [(await session.engine.logs.openDurable(log(values), spec)).leaseMs] };
    }),
  ],
  [
    // [log, durable, max, leaseMs?] → [letters]
    Operation.durableFetch,
    {
      waits: true,
      captures: true,
      run: async (session, values, signal) => {
        const name = log(values);
        const member = durable(values);
        const { logs } = session.engine;
        const leaseMs = values.optionalNumber(3);
        checkDuration("leaseMs", leaseMs, 1);
        const letters = await logs.fetch(name, member, { max: count(values, 2), leaseMs, signal });
        return loanOutcome(letters, (settlements) => logs.settle(name, member, settlements));
      },
    },
  ],
  [
    // [log, durable, settlements] → [settled]
    Operation.durableSettle,
    plain(async (session, values, _, { again }) => {
      const settlements = values.list(2).map(readSettlement);
      const settled = await session.engine.logs.settle(log(values), durable(values), settlements);
      return { values: [settled.map((each) => settledRow(doubted(each, again)))] };
    }),
  ],
  [
    // [log, durable, limit] → [dead letters]
    Operation.durableDead,
    plain(async (session, values) => {
      const dead = await session.engine.logs.deadLetters(log(values), durable(values), count(values, 2));
      return { values: [dead.map(deadRow)] };
    }),
  ],
  [
    // [log, durable, ids?, limit?] → [count]
    Operation.durableRedrive,
    plain(async (session, values) => {
      const request = { ids: values.optionalStrings(2), limit: values.optionalNumber(3) };
      return { values: [await session.engine.logs.redrive(log(values), durable(values), request)] };
    }),
  ],
];
