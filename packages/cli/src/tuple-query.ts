import type { Field, Template, Tuple, TupleSpace, Wait } from "@quadrant/contract";
import { type Command, Option } from "commander";
import { failed, misused } from "./failure.ts";
import { count, duration } from "./option.ts";
import type { Output } from "./output.ts";
import type { OpenSession, Session } from "./session.ts";
import { parseTemplate, templateHelp } from "./template-argument.ts";
import { jsonMember, valueText } from "./value-text.ts";

interface QueryOptions {
  readonly all?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
  readonly count?: number;
  readonly timeout?: number;
}

/** What `in` and `rd` do differently. */
export interface Query {
  readonly verb: "taken" | "read";
  /** Waits for a match. */
  wait(space: TupleSpace, template: Template, wait: Wait): Promise<unknown>;
  /** A match now, or undefined. */
  now(space: TupleSpace, template: Template): Promise<unknown>;
  /** The matches there are now, in batches. */
  all(space: TupleSpace, template: Template): AsyncIterable<readonly unknown[]>;
}

async function printTuple(output: Output, tuple: unknown): Promise<void> {
  await output.datum({ tuple: jsonMember(tuple as Field) }, () => valueText(tuple as Tuple));
}

async function runQuery(
  query: Query,
  session: Session,
  space: TupleSpace,
  template: Template,
  options: QueryOptions,
): Promise<void> {
  const { output, signal } = session;
  if (options.all) {
    let found = 0;
    for await (const batch of query.all(space, template)) {
      for (const tuple of batch) await printTuple(output, tuple);
      found += batch.length;
    }
    output.talk(`${found} ${query.verb}`);
    return;
  }
  for (let left = options.count ?? 1; left > 0; left--) {
    const tuple = options.wait
      ? await query.wait(space, template, { timeoutMs: options.timeout, signal })
      : await query.now(space, template);
    if (tuple === undefined) throw failed("no tuple matches now");
    await printTuple(output, tuple);
  }
}

/** `quadrant in` and `quadrant rd` */
export function configureQuery(command: Command, open: OpenSession, query: Query): void {
  command
    .argument("<space>", "its name; it is made if absent")
    .argument("<template>", "a JSON array or record with holes, see below")
    .addOption(new Option("-a, --all", "every match there is now, also none").conflicts("count"))
    .option("--no-wait", "fail at once where nothing matches")
    .option("--timeout <duration>", "fail where nothing matches within so long (default: wait)", duration)
    .addHelpText("after", templateHelp);
  if (query.verb === "taken") command.option("-n, --count <n>", "take so many, one after another", count);
  command.action(async (name: string, text: string, options: QueryOptions) => {
    const template = parseTemplate(text);
    if (options.timeout !== undefined && (options.all || !options.wait)) {
      throw misused("--timeout is for waiting: leave out --all and --no-wait");
    }
    const session = open(command);
    await session.withBus(async (bus) => runQuery(query, session, await bus.space(name), template, options));
  });
}
