import type { Headers } from "@quadrant/contract";
import type { Command } from "commander";
import { misused } from "../failure.ts";
import { duration, headerOption } from "../option.ts";
import type { OpenSession, Session } from "../session.ts";
import { jsonMember, parseArgument, plainText, valueText } from "../value-text.ts";

interface CallCommandOptions {
  readonly text?: boolean;
  readonly header?: Headers;
  readonly timeout?: number;
}

type AnyService = Record<string, (...args: unknown[]) => unknown>;
/** What a call returns when nothing is known of the method: it can be awaited or iterated. */
type Result = AsyncIterable<unknown> & PromiseLike<unknown>;
type Stub = Readonly<Record<string, (...args: unknown[]) => Result>>;

async function print(session: Session, key: "value" | "item", value: unknown, text: boolean): Promise<void> {
  await session.output.datum({ [key]: jsonMember(value) }, () => (text ? plainText(value) : valueText(value)));
}

/** Prints the items of a stream as they come, or the one value: which of the two it is, only the answer tells. */
async function printResult(session: Session, result: Result, text: boolean): Promise<void> {
  const items = result[Symbol.asyncIterator]();
  let next: IteratorResult<unknown>;
  try {
    next = await items.next();
  } catch {
    // No stream: what came instead, a value or a failure, is what awaiting gives.
    return print(session, "value", await result, text);
  }
  try {
    for (; !next.done; next = await items.next()) await print(session, "item", next.value, text);
  } finally {
    await items.return?.();
  }
}

export function configure(command: Command, open: OpenSession): void {
  command
    .argument("<address>", "who serves it")
    .argument("<method>", "its name")
    .argument("[args...]", "each JSON")
    .option("-t, --text", "arguments and results are text: strings are given and printed as they are")
    .option("--timeout <duration>", "how long to wait for the answer, or for each item (default: 5s)", duration)
    .addOption(headerOption())
    .action(async (address: string, method: string, texts: readonly string[], options: CallCommandOptions) => {
      const text = options.text === true;
      const args = texts.map((each, index) => (text ? each : parseArgument(`argument ${index + 1}`, each)));
      const session = open(command);
      await session.withBus(async (bus) => {
        const client = bus.client<AnyService>(address, {
          timeoutMs: options.timeout,
          headers: options.header,
          signal: session.signal,
        });
        const call = (client as unknown as Stub)[method];
        // Names that every object has, such as toString, are the stub's own.
        if (call === undefined || method in Object.prototype) throw misused(`no service has a method called ${method}`);
        await printResult(session, call(...args), text);
      });
    });
}
