import { createReadStream } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { type Options, parse } from "csv-parse";
import { asRead, type Input } from "./input.ts";

export interface CsvOptions {
  /** Default ",". */
  readonly delimiter?: string | undefined;
  /** The columns' names. Default: the first line of each file names them. */
  readonly columns?: readonly string[] | undefined;
}

/** Fields by the names of their columns. */
export type CsvRecord = Readonly<Record<string, string>>;

/**
 * The records of CSV files (RFC 4180; LF or CRLF; with or without a byte order mark), each with the offset of its first
 * byte's line. Fields in quotes may hold line ends, and no place in the middle of a file tells whether it lies in one, so a
 * file is never cut: give several files for several workers.
 */
export function csv({ delimiter = ",", columns }: CsvOptions = {}): Input<CsvRecord> {
  const options: Options = { delimiter, bom: true, info: true, columns: columns === undefined ? true : [...columns] };
  return {
    name: "csv",
    cut: "never",
    record: asRead,
    read: async ({ path }, take, signal) => {
      const parser = createReadStream(path, { signal })
        .on("error", (error) => parser.destroy(error))
        .pipe(parse(options));
      let offset = 0;
      for await (const { record, info } of parser as AsyncIterable<{ record: CsvRecord; info: { bytes: number } }>) {
        if (take(record, offset)) await turn();
        offset = info.bytes;
      }
    },
  };
}
