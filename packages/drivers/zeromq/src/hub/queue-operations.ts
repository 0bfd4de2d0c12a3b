import { BusError, checkCount, checkDuration, checkName } from "@quadrant/contract";
import { Operation } from "../wire/operation.ts";
import { deadRow, outcomeRow, peekedRow, readLetter, readSettlement, settledRow } from "../wire/transfer.ts";
import type { Values } from "../wire/values.ts";
import { maxPayloadBytes } from "./limits.ts";
import { assertKept, doubted, loanOutcome } from "./loans.ts";
import type { HubOperation } from "./operations.ts";

function address(values: Values): string {
  const name = values.string(0);
  checkName("address", name);
  return name;
}

/** How many of something a client may ask for at once. */
export function count(values: Values, index: number): number {
  const value = values.number(index);
  checkCount("count", value);
  return Math.min(value, 100_000);
}

function plain(run: HubOperation["run"]): HubOperation {
  return { waits: false, captures: false, run };
}

/** Mailboxes. Each value list begins with the address. */
export const queueOperations: readonly (readonly [number, HubOperation])[] = [
  [
    // [address, leaseMs?, maxAttempts?, capacity?] → [leaseMs]
    Operation.queueOpen,
    plain(async (session, values, _, { again }) => {
      const leaseMs = values.optionalNumber(1);
      const maxAttempts = values.optionalNumber(2);
      const capacity = values.optionalNumber(3);
      checkDuration("leaseMs", leaseMs, 1);
      checkCount("maxAttempts", maxAttempts);
      checkCount("capacity", capacity);
      if (again) assertKept(session, "mailbox", address(values));
      const opened = await session.engine.queues.open(address(values), { leaseMs, maxAttempts, capacity });
      return { values: [opened.leaseMs] };
    }),
  ],
  [
    // [address, letters] → [outcomes]
    Operation.queueSend,
    plain(async (session, values) => {
      const letters = values.list(1).map(readLetter);
      if (letters.some((letter) => letter.body.length > maxPayloadBytes)) {
        throw new BusError("too-large", `a letter has at most ${maxPayloadBytes} bytes here`);
      }
      return { values: [(await session.engine.queues.send(address(values), letters)).map(outcomeRow)] };
    }),
  ],
  [
    // [address, max, leaseMs?] → [letters]
    Operation.queueFetch,
    {
      waits: true,
      captures: true,
      run: (session, values, signal) => {
        const name = address(values);
        const { queues } = session.engine;
        const leaseMs = values.optionalNumber(2);
        checkDuration("leaseMs", leaseMs, 1);
        // No async function: it would keep the values until it ends.
        return queues
          .fetch(name, { max: count(values, 1), leaseMs, signal })
          .then((letters) => loanOutcome(letters, (settlements) => queues.settle(name, settlements)));
      },
    },
  ],
  [
    // [address, settlements] → [settled]
    Operation.queueSettle,
    plain(async (session, values, _, { again }) => {
      const settled = await session.engine.queues.settle(address(values), values.list(1).map(readSettlement));
      return { values: [settled.map((each) => settledRow(doubted(each, again)))] };
    }),
  ],
  [
    // [address] → [waiting, held, delayed, dead]
    Operation.queueInfo,
    plain(async (session, values) => {
      const info = await session.engine.queues.info(address(values));
      return { values: [info.waiting, info.held, info.delayed, info.dead] };
    }),
  ],
  [
    // [address, limit] → [letters]
    Operation.queuePeek,
    plain(async (session, values) => ({
      values: [(await session.engine.queues.peek(address(values), count(values, 1))).map(peekedRow)],
    })),
  ],
  [
    // [address, limit] → [dead letters]
    Operation.queueDead,
    plain(async (session, values) => ({
      values: [(await session.engine.queues.deadLetters(address(values), count(values, 1))).map(deadRow)],
    })),
  ],
  [
    // [address, ids?, limit?] → [count]
    Operation.queueRedrive,
    plain(async (session, values) => {
      const request = { ids: values.optionalStrings(1), limit: values.optionalNumber(2) };
      return { values: [await session.engine.queues.redrive(address(values), request)] };
    }),
  ],
  [
    // [address] → [count]
    Operation.queuePurge,
    plain(async (session, values) => ({ values: [await session.engine.queues.purge(address(values))] })),
  ],
  [
    // [address]
    Operation.queueDestroy,
    plain(async (session, values) => {
      await session.engine.queues.destroy(address(values));
      return { values: [] };
    }),
  ],
];
