import type { Headers, Start } from "@quadrant/contract";
import type { Command } from "commander";
import { bodySource } from "./body-source.ts";
import { consume, type Limits } from "./consumption.ts";
import { assertExists } from "./existing.ts";
import { misused } from "./failure.ts";
import { type FormatOptions, printMessage } from "./message-format.ts";
import { addFormats, addLimits, duration, headerOption, sequence, start, textOption } from "./option.ts";
import type { OpenSession } from "./session.ts";
import { addSettlements, type SettlementOptions, settleEach } from "./settlement.ts";

interface AppendOptions {
  readonly text?: boolean;
  readonly header?: Headers;
  readonly id?: string;
  readonly expectLast?: number;
}

/** How many appends of one batch are on their way at once. They are numbered in the order they were sent. */
const pipelined = 256;

/** `quadrant log append` */
export function configureAppend(command: Command, open: OpenSession): void {
  command
    .argument("<log>", "its name; it is made if absent")
    .argument("<subject>", "the entry's subject")
    .argument("[body]", "JSON; without it, each line of stdin is an entry")
    .option("--id <id>", "an id given again within two minutes stores nothing; only with a body")
    .option(
      "--expect-last <seq>",
      "fail unless this is the subject's last sequence (0: none); only with a body",
      sequence,
    )
    .addOption(textOption())
    .addOption(headerOption())
    .action(async (name: string, subject: string, body: string | undefined, options: AppendOptions) => {
      const { id, expectLast, header: headers } = options;
      if (body === undefined && (id !== undefined || expectLast !== undefined)) {
        throw misused("--id and --expect-last are for one entry: give its body on the command line");
      }
      const session = open(command);
      const source = bodySource(session, body, options.text ? "text" : "json");
      await session.withBus(async (bus) => {
        const log = await bus.log(name);
        for await (const batch of source.batches()) {
          for (let at = 0; at < batch.length; at += pipelined) {
            const appended = batch
              .slice(at, at + pipelined)
              .map((data) => log.append(subject, data, { headers, id, expectLast }));
            for (const outcome of await Promise.allSettled(appended)) {
              if (outcome.status === "rejected") throw outcome.reason;
              const { seq, duplicate } = outcome.value;
              await session.output.datum({ seq, duplicate }, () => (duplicate ? `${seq}\tduplicate` : String(seq)));
            }
          }
        }
      });
    });
}

interface ReadCommandOptions extends Limits, FormatOptions {
  readonly from?: Start;
  readonly filter?: string;
  readonly follow?: boolean;
}

/** `quadrant log read` */
export function configureRead(command: Command, open: OpenSession): void {
  command
    .argument("<log>", "its name")
    .option("--from <where>", "first, new, a sequence, or a time such as 2026-01-31T12:00:00Z (default: first)", start)
    .option("--filter <pattern>", "only these subjects")
    .option("-f, --follow", "go on with what is appended from now on");
  addFormats(addLimits(command)).action(async (name: string, options: ReadCommandOptions) => {
    const session = open(command);
    const { from, filter, follow, count, timeout } = options;
    if (from === "new" && !follow) throw misused("--from new means what is yet to come: add --follow");
    await session.withBus(async (bus) => {
      if (!follow) await assertExists(bus, "log", name);
      const log = await bus.log(name);
      await consume(
        session,
        // Without --follow the count is a bound: a log that has fewer has been read to its end.
        follow ? { count, timeout } : {},
        async (signal) => {
          const entries = log.read({ from, filter, signal, ...(follow ? {} : { to: "end" }) });
          return follow || count === undefined ? entries : firstOf(entries, count);
        },
        async ({ seq, time, id, subject, data, headers }) => {
          const members = { seq, time, subject, ...(id === undefined ? {} : { id }) };
          await printMessage(session.output, options, { data, headers }, members, [seq, subject]);
        },
      );
    });
  });
}

async function* firstOf<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  let left = count;
  for await (const item of items) {
    yield item;
    if (--left === 0) return;
  }
}

interface ConsumeOptions extends Limits, FormatOptions, SettlementOptions {
  readonly from?: Start;
  readonly filter?: string;
  readonly lease?: number;
}

/** `quadrant log consume` */
export function configureConsume(command: Command, open: OpenSession): void {
  command
    .argument("<log>", "its name; it is made if absent")
    .argument("<durable>", "the position that is resumed; it is made if absent")
    .option("--from <where>", "where a new durable begins (default: new)", start)
    .option("--filter <pattern>", "only these subjects; fixed when the durable is made")
    .option(
      "--lease <duration>",
      "how long an entry is held if this process dies; fixed when the durable is made",
      duration,
    );
  addFormats(addSettlements(addLimits(command))).action(
    async (name: string, durable: string, options: ConsumeOptions) => {
      const session = open(command);
      const { from, filter, lease: leaseMs } = options;
      await session.withBus(async (bus) => {
        const log = await bus.log(name);
        const consumed = await settleEach(
          session,
          options,
          ({ seq, subject }) => [seq ?? 0, subject],
          async (signal, maxInFlight) => {
            const entries = await log.subscribe({ durable, from, filter, leaseMs, maxInFlight, signal });
            session.output.talk(`consuming ${name} as ${durable}`);
            return entries;
          },
        );
        session.output.talk(`${consumed} consumed from ${name}`);
      });
    },
  );
}
