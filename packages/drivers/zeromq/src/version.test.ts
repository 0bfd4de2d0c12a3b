import { expect, test } from "vitest";
import { Dealer, Router } from "zeromq";
import { open, startHub } from "./index.ts";
import { encodeHello, PacketKind, protocolVersion } from "./wire/packet.ts";
import { encodeValues, Values } from "./wire/values.ts";

const options = {
  name: "test",
  timeoutMs: 30_000,
  requestTimeoutMs: 10_000,
  maxPayloadBytes: 8 << 20,
  outboxBytes: 64 << 20,
};

/** A hello as a client says it that speaks the versions from `lowest` to `highest`; what the hub answers. */
async function answered(url: string, lowest: number, highest: number): Promise<Buffer> {
  const hello = encodeHello(undefined, 0, encodeValues(["other"]));
  hello[1] = highest;
  hello[3] = lowest;
  const socket = new Dealer({ linger: 0 });
  try {
    socket.connect(url.replace("zmq:", "tcp:"));
    await socket.send(hello);
    const [answer] = (await socket.receive()) as [Buffer];
    return answer;
  } finally {
    socket.close();
  }
}

test.each([
  ["of version 1", 1, 1],
  ["of later versions only", protocolVersion + 1, protocolVersion + 3],
  ["of no version at all", protocolVersion, protocolVersion - 1],
])("a client %s is refused by this hub at once, in words", async (_, lowest, highest) => {
  await using hub = await startHub();
  const answer = await answered(hub.url, lowest, highest);
  // Version 1 reads a refusal of any version, and what is in it has not changed since.
  expect(answer[2]).toBe(PacketKind.refuse);
  const [code, message] = [Values.read(answer.subarray(3)).string(0), Values.read(answer.subarray(3)).string(1)];
  expect(code).toBe("unsupported");
  expect(message).toContain(`version ${protocolVersion}`);
  expect(message).toContain("the same release");
});

test("a client that speaks later versions, too, is welcomed in the one that both speak", async () => {
  await using hub = await startHub();
  const answer = await answered(hub.url, protocolVersion, protocolVersion + 3);
  expect(answer[2]).toBe(PacketKind.welcome);
  expect(answer[1]).toBe(protocolVersion);
});

test("a hub of version 1 refuses this client, which tells it at once and in words", async () => {
  const old = new Router({ linger: 0 });
  await old.bind("tcp://127.0.0.1:*");
  try {
    const opening = open(new URL(old.lastEndpoint!.replace("tcp:", "zmq:")), options);
    opening.catch(() => undefined);
    const [route, hello] = (await old.receive()) as [Buffer, Buffer];
    // What version 1 does: any other version in the second byte of a hello is refused, in a packet of version 1.
    expect(hello[1]).toBe(protocolVersion);
    const words = "this hub speaks version 1 of the protocol, the client does not: use the same release";
    const refusal = Buffer.concat([Buffer.from([0x51, 1, PacketKind.refuse]), encodeValues(["unsupported", words])]);
    await old.send([route, refusal]);
    await expect(opening).rejects.toMatchObject({ code: "unsupported", message: words });
  } finally {
    old.close();
  }
});
