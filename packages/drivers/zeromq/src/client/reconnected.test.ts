import { expect, test, vi } from "vitest";
import { Router } from "zeromq";
import { Link } from "../link/link.ts";
import { dataHeaderBytes, encodeGone, encodeWelcome, PacketKind } from "../wire/packet.ts";
import { eachRecord, RecordKind } from "../wire/record.ts";
import { encodeValues } from "../wire/values.ts";
import { open } from "./driver.ts";

const options = {
  name: "test",
  timeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  maxPayloadBytes: 8 << 20,
  outboxBytes: 64 << 20,
};
const about = encodeValues([10_000, 8 << 20, false, process.versions.node]);
const [hubA, hubB, first, second] = ["aa", "bb", "01", "02"].map((byte) => byte.repeat(16)) as [
  string,
  string,
  string,
  string,
];

/** A hub that does what the test says. */
class ScriptedHub {
  readonly #router = new Router({ linger: 0 });
  #link = new Link();
  #route: Buffer = Buffer.alloc(0);

  async listen(): Promise<string> {
    await this.#router.bind("tcp://127.0.0.1:*");
    return this.#router.lastEndpoint!.replace("tcp:", "zmq:");
  }

  /** The next packet of the kind; it names who is answered from now on. */
  async next(kind: number): Promise<Buffer> {
    for (;;) {
      const [route, packet] = (await this.#router.receive()) as [Buffer, Buffer];
      if (packet[2] !== kind) continue;
      this.#route = route;
      return packet;
    }
  }

  async welcome(hub: string, session: string, resumed: boolean): Promise<void> {
    await this.next(PacketKind.hello);
    if (!resumed) this.#link = new Link();
    await this.send(encodeWelcome({ hub, session, resumed, received: 0 }, about));
  }

  send(packet: Buffer): Promise<void> {
    return this.#router.send([this.#route, packet]);
  }

  /** Says "done" to every request in the packet. */
  async answer(packet: Buffer): Promise<void> {
    expect(this.#link.accept(packet)).toBe("take");
    eachRecord(packet, dataHeaderBytes, (kind, start) => {
      expect(kind).toBe(RecordKind.request);
      const request = packet.readUInt32BE(start);
      this.#link.write().begin(RecordKind.response).u32(request).u8(0).bytes(encodeValues([])).end();
    });
    this.#link.taken();
    await this.send(this.#link.next()!.packet());
  }

  close(): void {
    this.#router.close();
  }
}

test("reconnected is told once all is set up again, also when the connection broke once more meanwhile", async () => {
  const hub = new ScriptedHub();
  const opening = open(new URL(await hub.listen()), options);
  await hub.welcome(hubA, first, false);
  const driver = await opening;
  const statuses: string[] = [];
  driver.onStatus((status) => statuses.push(status.kind));
  try {
    const sink = { deliver: () => undefined, lost: () => undefined, end: () => undefined };
    const subscribing = driver.topics!.subscribe("s", undefined, sink);
    await hub.answer(await hub.next(PacketKind.data));
    await subscribing;

    await hub.send(encodeGone());
    await hub.welcome(hubB, second, false);
    await hub.next(PacketKind.data);
    // The subscription is on its way to a hub that does not know it; the connection breaks before it is effective.
    await hub.send(encodeGone());
    await hub.welcome(hubB, second, true);
    const again = await hub.next(PacketKind.data);
    // What the old hub had under way for the subscription is lost, uncounted.
    expect(statuses).toEqual(["disconnected", "gap"]);
    await hub.answer(again);
    await vi.waitFor(() => expect(statuses).toEqual(["disconnected", "gap", "reconnected"]), 20_000);
  } finally {
    await driver.close(0);
    hub.close();
  }
});
