import type { Command } from "commander";
import { addRedriveOptions, printDeadLetters, type RedriveOptions } from "../dead-letter.ts";
import { assertExists } from "../existing.ts";
import { configureAppend, configureConsume, configureRead } from "../log-stream.ts";
import { count } from "../option.ts";
import type { OpenSession } from "../session.ts";

const defaultLimit = 100;

function configureInfo(inner: Command, open: OpenSession): void {
  inner.argument("<log>", "its name").action(async (name: string) => {
    const session = open(inner);
    await session.withBus(async (bus) => {
      await assertExists(bus, "log", name);
      const info = await (await bus.log(name)).info();
      await session.output.datum({ log: name, ...info }, () =>
        Object.entries(info)
          .map(([key, value]) => `${key} ${value}`)
          .join("  "),
      );
    });
  });
}

function configureDead(inner: Command, open: OpenSession): void {
  inner
    .argument("<log>", "its name")
    .argument("<durable>", "whose dead letters")
    .option("--limit <n>", `at most so many (default: ${defaultLimit})`, count)
    .action(async (name: string, durable: string, options: { readonly limit?: number }) => {
      const session = open(inner);
      await session.withBus(async (bus) => {
        await assertExists(bus, "log", name);
        const log = await bus.log(name);
        await printDeadLetters(session.output, await log.deadLetters(durable, options.limit ?? defaultLimit));
      });
    });
}

function configureRedrive(inner: Command, open: OpenSession): void {
  addRedriveOptions(inner.argument("<log>", "its name").argument("<durable>", "whose dead letters")).action(
    async (name: string, durable: string, options: RedriveOptions) => {
      const session = open(inner);
      await session.withBus(async (bus) => {
        await assertExists(bus, "log", name);
        const redriven = await (await bus.log(name)).redrive(durable, { ids: options.id, limit: options.limit });
        await session.output.datum({ redriven }, () => String(redriven));
      });
    },
  );
}

export function configure(command: Command, open: OpenSession): void {
  const add = (name: string, summary: string): Command => command.command(name).description(summary);
  configureAppend(add("append", "append an entry, or each line of stdin"), open);
  configureRead(add("read", "print the entries, without acknowledgement"), open);
  configureConsume(add("consume", "print and acknowledge what a durable has not seen yet"), open);
  configureInfo(add("info", "first, last, count, bytes"), open);
  configureDead(add("dead", "print what a durable's members rejected or failed at"), open);
  configureRedrive(add("redrive", "give a durable's dead letters a new life"), open);
}
