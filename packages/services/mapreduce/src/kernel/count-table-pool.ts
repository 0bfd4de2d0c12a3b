import type { CountTable } from "./count-table.ts";
import { openWasmCountTable } from "./wasm-count-table.ts";

/** Tables that are kept for the next task of this process, which will meet the same words. */
const idle: CountTable[] = [];
const mostIdle = 2;

export function takeCountTable(): CountTable {
  return idle.pop() ?? openWasmCountTable();
}

/** Gives back a table that holds no counts. One that has grown beyond `bytes` is dropped. */
export function returnCountTable(table: CountTable, bytes: number): void {
  if (idle.length < mostIdle && table.heldBytes <= bytes) idle.push(table);
}
