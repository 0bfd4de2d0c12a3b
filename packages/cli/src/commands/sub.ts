import type { Message, Subscription } from "@quadrant/contract";
import type { Command } from "commander";
import { consume, type Limits } from "../consumption.ts";
import { type FormatOptions, printMessage, tellDropped } from "../message-format.ts";
import { addFormats, addLimits, count } from "../option.ts";
import type { OpenSession } from "../session.ts";

interface SubOptions extends Limits, FormatOptions {
  readonly group?: string;
  readonly buffer?: number;
}

export function configure(command: Command, open: OpenSession): void {
  command
    .argument("<pattern>", "`*` is one token, `>` one or more at the end; quote it for the shell")
    .option("-g, --group <name>", "share the messages with the other members of the group")
    .option("--buffer <n>", "how many messages may wait to be printed (default: 1024)", count);
  addFormats(addLimits(command)).action(async (pattern: string, options: SubOptions) => {
    const session = open(command);
    const { output } = session;
    await session.withBus(async (bus) => {
      let subscription: Subscription<Message<unknown>> | undefined;
      const invalid = (message: Message<unknown>, error: Error): void =>
        output.warn(`a message on ${message.subject} was left out: ${error.message}`);
      try {
        await consume(
          session,
          options,
          async (signal) => {
            const { group, buffer } = options;
            subscription = await bus.subscribe(pattern, { group, buffer, invalid, signal });
            output.talk(`subscribed to ${pattern}`);
            return subscription;
          },
          ({ subject, data, headers }) => printMessage(output, options, { data, headers }, { subject }, [subject]),
        );
      } finally {
        tellDropped(output, subscription?.dropped ?? 0);
      }
    });
  });
}
