import type { Tuple } from "@quadrant/contract";
import type { Command } from "commander";
import { bodySource } from "../body-source.ts";
import { failed, misused } from "../failure.ts";
import { duration } from "../option.ts";
import type { OpenSession } from "../session.ts";

interface OutOptions {
  readonly lease?: number;
  readonly timeout?: number;
}

function assertTuple(value: unknown, single: boolean): asserts value is Tuple {
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) return;
  const message = `a tuple is an array or a record, such as '["task", 1]'`;
  throw single ? misused(message) : failed(`stdin: ${message}`);
}

export function configure(command: Command, open: OpenSession): void {
  command
    .argument("<space>", "its name; it is made if absent")
    .argument("[tuple]", "a JSON array or record; without it, each line of stdin is a tuple")
    .option("--lease <duration>", "it is removed after so long; 0: only who waits for it sees it", duration)
    .option("--timeout <duration>", "how long to wait for room in a full space (default: 5s)", duration)
    .addHelpText("after", '\n{"$bigint": "12"}, {"$bytes": "aGk="} and {"$number": "NaN"} are what JSON lacks.')
    .action(async (name: string, tuple: string | undefined, options: OutOptions) => {
      const session = open(command);
      const source = bodySource(session, tuple, "tuple");
      if (tuple !== undefined) for await (const batch of source.batches()) assertTuple(batch[0], true);
      const { lease: leaseMs, timeout: timeoutMs = 5_000 } = options;
      await session.withBus(async (bus) => {
        const space = await bus.space(name);
        let put = 0;
        for await (const batch of source.batches()) {
          for (const value of batch) assertTuple(value, !source.many);
          const outcomes = await Promise.allSettled(
            (batch as readonly Tuple[]).map((value) =>
              space.out(value, { leaseMs, timeoutMs, signal: session.signal }),
            ),
          );
          for (const outcome of outcomes) {
            if (outcome.status === "rejected") throw outcome.reason;
            put++;
          }
        }
        session.output.talk(`${put} put into ${name}`);
      });
    });
}
