import { setImmediate as turn } from "node:timers/promises";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { asRead, type Input } from "./input.ts";

export interface ParquetOptions {
  /** Only these. Default: all. */
  readonly columns?: readonly string[] | undefined;
}

/**
 * The rows of Parquet files, a row group in memory at a time; the offset is the row's number. Files are not cut. 64-bit
 * integers are bigints, as the reader (hyparquet) gives them.
 */
export function parquet<R = Readonly<Record<string, unknown>>>({ columns }: ParquetOptions = {}): Input<R> {
  return {
    name: "parquet",
    cut: "never",
    record: asRead,
    read: async ({ path }, take, signal) => {
      const file = await asyncBufferFromFile(path);
      const metadata = await parquetMetadataAsync(file);
      let row = 0;
      for (const group of metadata.row_groups) {
        signal?.throwIfAborted();
        const rowEnd = row + Number(group.num_rows);
        const selected = columns === undefined ? {} : { columns: [...columns] };
        const rows = await parquetReadObjects({ file, metadata, compressors, rowStart: row, rowEnd, ...selected });
        for (const each of rows) if (take(each, row++)) await turn();
        row = rowEnd;
      }
    },
  };
}
