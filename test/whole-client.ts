import { connect } from "@quadrant/bus";

/**
 * A program that uses everything, closes the bus and then does nothing more: whether it ends by itself is what is tested.
 * Says "used" before it closes; with the argument "wait" it closes once it is told to.
 */
const [url, when] = process.argv.slice(2) as [string, string | undefined];
const bus = await connect(url);
const name = "whole";
const service = { run: () => 1 };
await bus.serve(name, service);
await bus.client<typeof service>(name).run();
const subscription = await bus.subscribe(name);
await bus.publish(name, 1);
for await (const _ of subscription) break;
await bus.subscribe(`${name}.idle`);
const box = await bus.mailbox(name);
await box.send(1);
const worker = await box.process(() => undefined);
while (worker.processed === 0) await new Promise((resolve) => setImmediate(resolve));
await box.receive();
const log = await bus.log(name, { maxAgeMs: 3_600_000 });
await log.append("s", 1, { id: "x" });
await log.subscribe({ durable: "d" });
const space = await bus.space(name);
await space.out(["leased"], { leaseMs: 3_600_000 });
const waiting = space.in(["never"], { timeoutMs: 3_600_000 }).catch(() => undefined);
bus.status()[Symbol.asyncIterator]();

process.send!("used");
if (when === "wait") await new Promise((resolve) => process.once("message", resolve));
await bus.close({ drainMs: 500 });
await waiting;
process.disconnect();
