import { connect } from "@quadrant/bus";

/**
 * A client as a process, to be stopped and killed by the one who forked it: holds a letter and a claim, waits for a tuple,
 * serves a call that never ends, is a member of a group and reads a stream of messages. Says "ready" when it has it all,
 * then tells what it learns.
 */
const [url, name] = process.argv.slice(2) as [string, string];
process.once("disconnect", () => process.exit(0));
const tell = (message: unknown): void => void process.send!(message);

const bus = await connect(url, { timeoutMs: 20_000 });
const space = await bus.space(name);
const box = await bus.mailbox(name);

const letters = (await box.receive())[Symbol.asyncIterator]();
const { value: letter } = await letters.next();
const claim = await space.claim(["claimed"], { leaseMs: 1_000 });
space.in(["wanted"]).catch(() => undefined);
await bus.subscribe(`${name}.group`, { group: "g" });

await bus.serve(name, {
  started: () => tell("called"),
  never() {
    tell("running");
    return new Promise(() => undefined);
  },
  /** What became of the letter and the claim. */
  async settle() {
    const code = (error: { code: string }): string => error.code;
    return [await letter!.ack().then(() => "done", code), await claim.ack().then(() => "done", code)];
  },
});

const stream = await bus.subscribe<number>(`${name}.stream`, { buffer: 256 });
void (async () => {
  let received = 0;
  for await (const message of stream) {
    received++;
    if (message.data < 0) tell({ marker: message.data, received, dropped: stream.dropped });
  }
})();

tell("ready");
