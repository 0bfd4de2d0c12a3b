import type { OutputFormat } from "./format.ts";

/** A line, or the fields of one. */
export type TextLine = string | number | Uint8Array | readonly (string | number)[];

/** A line for each result: a string, bytes as they are, or fields with tabs between. */
export const textLines: OutputFormat<TextLine> = {
  name: "text",
  write: (out, into) => {
    if (out instanceof Uint8Array) into.copy(out, 0, out.length);
    else into.text(typeof out === "object" ? out.join("\t") : String(out));
    into.byte(0x0a);
  },
};
