import { Queue } from "./queue.ts";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";
import type { Setting } from "./setting.ts";

export function encodeQueue({ row, address, terms }: Queue, rows: RowWriter): void {
  rows.begin(row, RowKind.queue).text(address).number(terms.leaseMs).number(terms.maxAttempts);
  rows.optionalNumber(terms.capacity).end();
}

export function readQueue(setting: Setting, reader: RowReader): Queue {
  const address = reader.text();
  const leaseMs = reader.number();
  const maxAttempts = reader.number();
  return new Queue(setting, address, { leaseMs, maxAttempts, capacity: reader.optionalNumber() });
}
