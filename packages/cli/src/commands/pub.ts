import type { Headers } from "@quadrant/contract";
import type { Command } from "commander";
import { bodySource } from "../body-source.ts";
import { headerOption, textOption } from "../option.ts";
import type { OpenSession } from "../session.ts";

interface PubOptions {
  readonly text?: boolean;
  readonly header?: Headers;
}

export function configure(command: Command, open: OpenSession): void {
  command
    .argument("<subject>", "where to publish, such as orders.new")
    .argument("[body]", "JSON; without it, each line of stdin is a message")
    .addOption(textOption())
    .addOption(headerOption())
    .action(async (subject: string, body: string | undefined, options: PubOptions) => {
      const session = open(command);
      const source = bodySource(session, body, options.text ? "text" : "json");
      let published = 0;
      await session.withBus(async (bus) => {
        try {
          for await (const batch of source.batches()) {
            // Awaited together: what is published in one turn goes out in one frame.
            const outcomes = await Promise.allSettled(
              batch.map((data) => bus.publish(subject, data, { headers: options.header })),
            );
            for (const outcome of outcomes) {
              if (outcome.status === "rejected") throw outcome.reason;
              published++;
            }
          }
          await bus.flush();
        } finally {
          session.output.talk(`${published} published to ${subject}`);
        }
      });
    });
}
