import type { Field, Tuple } from "@quadrant/contract";
import type { Command } from "commander";
import { consume, type Limits } from "../consumption.ts";
import { addLimits, sequence } from "../option.ts";
import type { OpenSession } from "../session.ts";
import { parseTemplate, templateHelp } from "../template-argument.ts";
import { jsonMember, valueText } from "../value-text.ts";

interface WatchOptions extends Limits {
  readonly from?: number;
}

export function configure(command: Command, open: OpenSession): void {
  command
    .argument("<space>", "its name; it is made if absent")
    .argument("<template>", "a JSON array or record with holes, see below")
    .option("--from <seq>", "what came after this event; 0: from the first one on (default: from now on)", sequence)
    .addHelpText("after", templateHelp);
  addLimits(command).action(async (name: string, text: string, options: WatchOptions) => {
    const template = parseTemplate(text);
    const session = open(command);
    const { output } = session;
    await session.withBus(async (bus) => {
      const space = await bus.space(name);
      await consume(
        session,
        options,
        async (signal) => {
          const events = await space.watch(template, { from: options.from, signal });
          output.talk(`watching ${name}`);
          return events;
        },
        ({ kind, seq, tuple }) =>
          output.datum(
            { seq, kind, tuple: jsonMember(tuple as Field) },
            () => `${seq}\t${kind}\t${valueText(tuple as Tuple)}`,
          ),
      );
    });
  });
}
