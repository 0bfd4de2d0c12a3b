import { type CsvRecord, csv } from "../input/csv.ts";
import { json } from "../job/codec.ts";
import { defineJob, type Job } from "../job/job.ts";
import { ndjsonLines } from "../output/ndjson.ts";

export interface JoinOptions {
  /** The column that both inputs have. */
  readonly on: string;
  /** What the inputs are called: `left=FILE right=FILE`. Default "left" and "right". */
  readonly left?: string | undefined;
  readonly right?: string | undefined;
}

type Side = readonly ["left" | "right", CsvRecord];

/** The records of two CSV inputs that are alike in a column, each with each, as one record; columns of the right win. */
export default function join({
  on,
  left = "left",
  right = "right",
}: JoinOptions): Job<CsvRecord, string, Side, CsvRecord> {
  return defineJob({
    name: "join",
    input: csv(),
    value: json<Side>(),
    output: ndjsonLines<CsvRecord>(),
    map: (record, emit, { source }) => {
      const side = source === left ? "left" : source === right ? "right" : undefined;
      if (side === undefined) throw new Error(`an input is called ${source}: call them ${left}=FILE and ${right}=FILE`);
      if (record[on] !== undefined) emit(record[on], [side, record]);
    },
    reduce: (_key: string, sides, emit) => {
      const all = [...sides];
      const rights = all.filter(([side]) => side === "right");
      for (const [side, record] of all) {
        if (side === "left") for (const [, other] of rights) emit({ ...record, ...other });
      }
    },
  });
}
