import type { Json } from "../job/codec.ts";
import type { OutputFormat } from "./format.ts";

/** A line of JSON for each result. */
export function ndjsonLines<Out = Json>(): OutputFormat<Out> {
  return {
    name: "ndjson",
    write: (out, into) => into.text(`${JSON.stringify(out)}\n`),
  };
}
