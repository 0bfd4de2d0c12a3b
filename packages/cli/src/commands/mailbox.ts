import type { Mailbox } from "@quadrant/contract";
import type { Command } from "commander";
import { addRedriveOptions, printDeadLetters, type RedriveOptions } from "../dead-letter.ts";
import { assertExists } from "../existing.ts";
import { count } from "../option.ts";
import type { OpenSession, Session } from "../session.ts";
import { jsonMember, valueText } from "../value-text.ts";

const defaultLimit = 100;

interface LimitOptions {
  readonly limit?: number;
}

export function configure(command: Command, open: OpenSession): void {
  const add = <O>(
    name: string,
    summary: string,
    describe: (inner: Command) => Command,
    use: (mailbox: Mailbox<unknown>, session: Session, options: O) => Promise<void>,
  ): void => {
    const inner = command.command(name).description(summary).argument("<address>", "the mailbox");
    describe(inner).action(async (address: string, options: O) => {
      const session = open(inner);
      await session.withBus(async (bus) => {
        await assertExists(bus, "mailbox", address);
        await use(await bus.mailbox(address), session, options);
      });
    });
  };
  const limited = (inner: Command): Command =>
    inner.option("--limit <n>", `at most so many (default: ${defaultLimit})`, count);

  add(
    "info",
    "how many letters wait, are held, delayed, dead",
    (inner) => inner,
    async (mailbox, { output }) => {
      const info = await mailbox.info();
      await output.datum({ address: mailbox.address, ...info }, () =>
        Object.entries(info)
          .map(([name, value]) => `${name} ${value}`)
          .join("  "),
      );
    },
  );
  add<LimitOptions>("peek", "print the oldest letters without taking them", limited, async (mailbox, { output }, o) => {
    for (const { id, attempt, sentAt, headers, data } of await mailbox.peek(o.limit ?? defaultLimit)) {
      await output.datum({ id, attempt, sentAt, headers, data: jsonMember(data) }, () => `${id}\t${valueText(data)}`);
    }
  });
  add<LimitOptions>("dead", "print the dead letters", limited, async (mailbox, { output }, o) => {
    await printDeadLetters(output, await mailbox.deadLetters(o.limit ?? defaultLimit));
  });
  add<RedriveOptions>("redrive", "give dead letters a new life", addRedriveOptions, async (mailbox, { output }, o) => {
    const redriven = await mailbox.redrive({ ids: o.id, limit: o.limit });
    await output.datum({ redriven }, () => String(redriven));
  });
  add(
    "purge",
    "remove the letters that wait or are delayed",
    (inner) => inner,
    async (mailbox, { output }) => {
      const purged = await mailbox.purge();
      await output.datum({ purged }, () => String(purged));
    },
  );
}
