import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type BrokerKind, startBroker } from "@quadrant/testkit/brokers";
import { expect, test } from "vitest";
import type { FloodReport } from "./flooding-process.ts";

const program = fileURLToPath(new URL("./flooding-process.ts", import.meta.url));
const brokers: readonly BrokerKind[] = ["zeromq", "nats", "redis"];
const publishes = 100_000;

async function flood(url: string, meanwhile: (start: () => Promise<FloodReport>) => Promise<FloodReport>) {
  const child = fork(program, [url], { execPath: process.execPath, execArgv: ["--expose-gc"] });
  const exited = once(child, "exit");
  const ended = exited.then(([code, signal]: readonly unknown[]) => {
    throw new Error(`the publisher ended with ${code ?? signal}`);
  });
  try {
    await Promise.race([once(child, "message"), ended]);
    return await meanwhile(async () => {
      child.send({ publishes, bytes: 4_096 });
      const [report] = await Promise.race([once(child, "message"), ended]);
      return report as FloodReport;
    });
  } finally {
    ended.catch(() => undefined);
    child.disconnect();
    await exited;
  }
}

const mebibytes = 64;

test.each(brokers)(
  `100 000 publishes of 4 KiB to a %s that stands still add ${mebibytes} MiB at most, and the rest is overflow`,
  { timeout: 180_000 },
  async (kind) => {
    await using broker = await startBroker(kind);
    const report = await flood(broker.url, async (start) => {
      await broker.pause();
      try {
        return await start();
      } finally {
        await broker.resume();
      }
    });
    expect(report.otherwise).toEqual({});
    expect(report.accepted + report.overflowed).toBe(publishes);
    expect(report.overflowed).toBeGreaterThan(publishes / 2);
    // What is accepted is kept: the bound is no excuse to keep little.
    expect(report.accepted).toBeGreaterThan(publishes / 10);
    expect(report.addedBytes).toBeLessThanOrEqual(mebibytes * 1024 * 1024);
  },
);
