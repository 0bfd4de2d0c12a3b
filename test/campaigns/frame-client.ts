/**
 * A client that is attacked, in a process of its own: it subscribes, serves, waits and calls as others do. It tells its
 * parent the good messages that reach it, what memory it has, and what it counted.
 */
import { connect, describe } from "@quadrant/bus";

const bus = await connect(process.argv[2]!, { name: "attacked", requestTimeoutMs: 5_000, timeoutMs: 30_000 });

/** Always something that waits for an answer; what comes of it is as mutated as the frames. */
async function ask(once: () => Promise<unknown>): Promise<void> {
  for (;;) {
    await once().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function listen(): Promise<void> {
  const messages = await bus.subscribe<unknown>("fuzz.>");
  for await (const { data, subject } of messages) {
    if (subject === "fuzz.good") process.send!({ good: data, residentBytes: process.memoryUsage.rss() });
  }
}

process.on("disconnect", () => process.exit());
process.on("message", () => {
  void describe(bus).then((description) => process.send!({ description }));
});
await bus.serve("fuzz", { add: () => 1 });
void ask(listen);
void ask(async () => (await bus.space("fuzz")).rd(["fuzz", Number], { timeoutMs: 500 }));
void ask(() => bus.list("space"));
void ask(() => bus.services());
