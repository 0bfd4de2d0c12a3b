import { BusError } from "@quadrant/bus";
import { text } from "../job/codec.ts";
import { defineJob, type Job } from "../job/job.ts";

/** `flags` as of RegExp, without "g" and "y". */
export interface GrepOptions {
  readonly pattern: string;
  readonly flags?: string | undefined;
}

/** The lines that match a regular expression, as `path:offset:line`, by path and offset. "invalid" for one that is none. */
export default function grep(options: GrepOptions): Job<string, string, string> {
  const expression = expressionOf(options);
  return defineJob({
    name: "grep",
    value: text,
    map: (line: string, emit, { path, offset }) => {
      if (expression.test(line)) emit(`${path}:${String(offset).padStart(16, "0")}`, line);
    },
    reduce: (place: string, lines, emit) => {
      const [path, offset] = [place.slice(0, -17), Number(place.slice(-16))];
      for (const line of lines) emit(`${path}:${offset}:${line}`);
    },
  });
}

function expressionOf({ pattern, flags = "" }: GrepOptions): RegExp {
  try {
    return new RegExp(pattern, flags.replace(/[gy]/g, ""));
  } catch (cause) {
    throw new BusError("invalid", `grep needs a pattern that is a regular expression: ${cause}`, { cause });
  }
}
