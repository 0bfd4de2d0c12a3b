import { stringify } from "csv-stringify/sync";
import type { OutputFormat } from "./format.ts";

export type CsvField = string | number | bigint | boolean | null | undefined;

/** A record of CSV (RFC 4180, LF) for each result: its fields in the order of the columns, whose names stand first in each part. */
export function csvLines<const C extends string>(columns: readonly C[]): OutputFormat<Readonly<Record<C, CsvField>>> {
  const line = (fields: readonly CsvField[]): string => stringify([[...fields]], { cast: { boolean: String } });
  return {
    name: "csv",
    head: line(columns),
    write: (out, into) => into.text(line(columns.map((column) => out[column]))),
  };
}
