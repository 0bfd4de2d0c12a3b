import type { Json } from "../job/codec.ts";
import type { Input } from "./input.ts";
import { lines } from "./lines.ts";

/** A record for each line of JSON, of the type that is named; blank lines are left out. A line that is no JSON is a bad record. */
export function ndjson<R = Json>(): Input<R> {
  return {
    name: "ndjson",
    cut: "line",
    read: lines.read,
    record: (line) => ((line as string).trim() === "" ? undefined : JSON.parse(line as string)),
  };
}
