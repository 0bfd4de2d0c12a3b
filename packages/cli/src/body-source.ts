import { failed } from "./failure.ts";
import { lineBatches } from "./line-source.ts";
import type { Session } from "./session.ts";
import { fromTagged, parseArgument, parseLine } from "./value-text.ts";

export type BodyForm = "json" | "text" | "tuple";

/** One value on the command line, or as many as stdin has lines. */
export interface BodySource {
  /** Whether there may be more than one. */
  readonly many: boolean;
  /** Values in batches, as they arrive. A line that is none fails, after what came before it was handed over. */
  batches(): AsyncIterable<readonly unknown[]>;
}

function bodyOf(form: BodyForm, parse: () => unknown): unknown {
  return form === "tuple" ? fromTagged(parse()) : parse();
}

async function* stdinBatches(session: Session, form: BodyForm): AsyncGenerator<readonly unknown[]> {
  if (session.stdin.isTTY) session.output.talk("reading stdin, one message a line; Ctrl-D ends");
  let number = 0;
  for await (const lines of lineBatches(session.stdin, session.signal)) {
    const values: unknown[] = [];
    for (const line of lines) {
      number++;
      if (form === "text") values.push(line);
      else if (line.trim() !== "") {
        try {
          values.push(bodyOf(form, () => parseLine(number, line)));
        } catch (error) {
          if (values.length > 0) yield values;
          throw form === "tuple" && error instanceof Error
            ? failed(error.message.startsWith("stdin") ? error.message : `stdin, line ${number}: ${error.message}`)
            : error;
        }
      }
    }
    if (values.length > 0) yield values;
  }
}

/** The body on the command line, else the lines of stdin, empty ones left out unless they are text. */
export function bodySource(session: Session, argument: string | undefined, form: BodyForm): BodySource {
  if (argument === undefined) return { many: true, batches: () => stdinBatches(session, form) };
  const what = form === "tuple" ? "the tuple" : "the body";
  const value = form === "text" ? argument : bodyOf(form, () => parseArgument(what, argument));
  return {
    many: false,
    async *batches() {
      yield [value];
    },
  };
}
