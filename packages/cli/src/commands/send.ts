import type { Headers, Mailbox, SendOptions, Sent } from "@quadrant/contract";
import type { Command } from "commander";
import { bodySource } from "../body-source.ts";
import { misused } from "../failure.ts";
import { duration, headerOption, textOption } from "../option.ts";
import type { Output } from "../output.ts";
import type { OpenSession } from "../session.ts";

interface SendCommandOptions {
  readonly text?: boolean;
  readonly header?: Headers;
  readonly delay?: number;
  readonly ttl?: number;
  readonly key?: string;
  readonly id?: string;
}

async function printSent(output: Output, sent: readonly Sent[]): Promise<void> {
  for (const { id, duplicate } of sent) {
    await output.datum({ id, duplicate }, () => (duplicate ? `${id}\tduplicate` : id));
  }
}

/** Sends the letters of one batch; where only some were accepted, those are printed before the failure. Returns how many are new. */
async function sendBatch(
  mailbox: Mailbox<unknown>,
  batch: readonly unknown[],
  options: SendOptions,
  output: Output,
): Promise<number> {
  try {
    const sent = batch.length === 1 ? [await mailbox.send(batch[0], options)] : await mailbox.sendMany(batch, options);
    await printSent(output, sent);
    return sent.filter(({ duplicate }) => !duplicate).length;
  } catch (error) {
    const { sent } = error as { readonly sent?: readonly Sent[] | undefined };
    if (sent !== undefined) await printSent(output, sent);
    throw error;
  }
}

export function configure(command: Command, open: OpenSession): void {
  command
    .argument("<address>", "the mailbox; it is made if absent")
    .argument("[body]", "JSON; without it, each line of stdin is a letter")
    .option("--delay <duration>", "not delivered before this long", duration)
    .option("--ttl <duration>", "not delivered after this long", duration)
    .option("--key <key>", "letters of one key are handled one at a time, in order")
    .option("--id <id>", "an id given again within two minutes sends nothing; only with a body")
    .addOption(textOption())
    .addOption(headerOption())
    .action(async (address: string, body: string | undefined, options: SendCommandOptions) => {
      if (options.id !== undefined && body === undefined) {
        throw misused("--id names one letter: give its body on the command line");
      }
      const session = open(command);
      const source = bodySource(session, body, options.text ? "text" : "json");
      const { header: headers, delay: delayMs, ttl: ttlMs, key, id } = options;
      const sendOptions: SendOptions = { headers, delayMs, ttlMs, key, ...(id === undefined ? {} : { id }) };
      await session.withBus(async (bus) => {
        const mailbox = await bus.mailbox(address);
        let sent = 0;
        for await (const batch of source.batches()) {
          sent += await sendBatch(mailbox, batch, sendOptions, session.output);
        }
        session.output.talk(`${sent} sent to ${address}`);
      });
    });
}
