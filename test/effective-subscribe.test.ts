import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { connect } from "@quadrant/bus";
import { startBroker } from "@quadrant/testkit/brokers";
import { expect, test } from "vitest";

const rounds = 1_000;

/** Subscribes to a new subject, has it published on at once, and waits for the message; `rounds` times. */
async function receivedAfterSubscribing(url: string, publish: (subject: string) => void): Promise<number> {
  await using bus = await connect(url);
  let received = 0;
  for (let round = 0; round < rounds; round++) {
    const subject = `effective.${process.pid}.${round}`;
    const subscription = await bus.subscribe<string>(subject);
    publish(subject);
    for await (const message of subscription) {
      if (message.data === subject) received++;
      break;
    }
  }
  return received;
}

test("on memory: what another connection publishes after subscribe resolved is received, 1 000 times of 1 000", async () => {
  const url = `memory:effective-${process.pid}`;
  await using publisher = await connect(url);
  const publish = (subject: string): void => void publisher.publish(subject, subject);
  expect(await receivedAfterSubscribing(url, publish)).toBe(rounds);
});

test("on zmq: what another process publishes after subscribe resolved is received, 1 000 times of 1 000", async () => {
  await using hub = await startBroker("zeromq");
  const program = fileURLToPath(new URL("./publisher-process.ts", import.meta.url));
  const child = fork(program, [hub.url], { execPath: process.execPath, execArgv: [] });
  try {
    await once(child, "message");
    expect(await receivedAfterSubscribing(hub.url, (subject) => void child.send(subject))).toBe(rounds);
  } finally {
    const exited = once(child, "exit");
    child.disconnect();
    await exited;
  }
});
