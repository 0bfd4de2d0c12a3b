import { openSync, writeSync } from "node:fs";
import { BusError, connect } from "@quadrant/bus";
import { digestOf, type LetterBody, type LetterEvent } from "./letter-record.ts";

/**
 * A consumer as a process: handles letters until it is killed, or until the one who forked it is gone. Notes down each
 * delivery before it acknowledges it, and what became of the acknowledgement after.
 */
const [url, address, file] = process.argv.slice(2) as [string, string, string];
process.once("disconnect", () => process.exit(0));

const record = openSync(file, "a");
function note(event: LetterEvent): void {
  writeSync(record, `${JSON.stringify(event)}\n`);
}

const bus = await connect(url, { timeoutMs: 20_000 });
const box = await bus.mailbox<LetterBody>(address);
let handled = 0;
await box.process(
  async (letter) => {
    const { attempt, data } = letter;
    note({ kind: "delivered", n: data.n, attempt, digest: digestOf(data) });
    try {
      await letter.ack();
      note({ kind: "acked", n: data.n, attempt });
    } catch (error) {
      const stale = error instanceof BusError && error.code === "stale";
      note({ kind: stale ? "stale" : "indefinite", n: data.n, attempt });
    }
    if (++handled % 20 === 0) process.send?.(handled);
  },
  { concurrency: 8 },
);
process.send?.("ready");
