import { expect, test } from "vitest";
import { Router } from "zeromq";
import { encodeWelcome, PacketKind } from "../wire/packet.ts";
import { encodeValues } from "../wire/values.ts";
import { dial } from "./dialer.ts";

const id = "ab".repeat(16);

async function hello(router: Router): Promise<Buffer> {
  const [route, packet] = (await router.receive()) as [Buffer, Buffer];
  expect(packet[2]).toBe(PacketKind.hello);
  return route;
}

/** libzmq lets go of an address in its own time. */
async function bindAgain(router: Router, endpoint: string): Promise<void> {
  for (let left = 200; ; left--) {
    try {
      await router.bind(endpoint);
      return;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

test("a hello that went to a hub that was just dying is said again to the next one", async () => {
  const dying = new Router({ linger: 0 });
  await dying.bind("tcp://127.0.0.1:*");
  const endpoint = dying.lastEndpoint!;
  // Less than an unanswered hello is given: it has to be said again because the connection broke.
  const dialing = dial(
    endpoint,
    { name: "test", session: undefined, received: 0, curve: undefined },
    4_500,
    new AbortController().signal,
  );
  dialing.catch(() => undefined);
  await hello(dying);
  await dying.unbind(endpoint);
  dying.close();
  const next = new Router({ linger: 0 });
  try {
    await bindAgain(next, endpoint);
    const route = await hello(next);
    const welcome = { hub: id, session: id, resumed: false, received: 0 };
    await next.send([route, encodeWelcome(welcome, encodeValues([1_000, 1, false, "test"]))]);
    const { wire } = await dialing;
    wire.close();
  } finally {
    next.close();
  }
});
