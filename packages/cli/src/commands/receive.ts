import type { Command } from "commander";
import type { Limits } from "../consumption.ts";
import type { FormatOptions } from "../message-format.ts";
import { addFormats, addLimits, duration } from "../option.ts";
import type { OpenSession } from "../session.ts";
import { addSettlements, type SettlementOptions, settleEach } from "../settlement.ts";

interface ReceiveCommandOptions extends Limits, FormatOptions, SettlementOptions {
  readonly lease?: number;
}

export function configure(command: Command, open: OpenSession): void {
  command
    .argument("<address>", "the mailbox; it is made if absent")
    .option(
      "--lease <duration>",
      "how long a letter is held if this process dies, shorter than the mailbox's",
      duration,
    );
  addFormats(addSettlements(addLimits(command))).action(async (address: string, options: ReceiveCommandOptions) => {
    const session = open(command);
    await session.withBus(async (bus) => {
      const mailbox = await bus.mailbox(address);
      const received = await settleEach(
        session,
        options,
        () => [],
        async (signal, maxInFlight) => {
          const letters = await mailbox.receive({ signal, maxInFlight, leaseMs: options.lease });
          session.output.talk(`receiving from ${address}`);
          return letters;
        },
      );
      session.output.talk(`${received} received from ${address}`);
    });
  });
}
