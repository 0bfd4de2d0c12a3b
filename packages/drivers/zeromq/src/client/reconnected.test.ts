import { type Envelope, noHeaders } from "@quadrant/contract";
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
  #router = new Router({ linger: 0 });
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

  /** Ends every connection, and listens there again; what it knows of the session stays. */
  async cut(): Promise<void> {
    const endpoint = this.#router.lastEndpoint!;
    this.#router.close();
    this.#router = new Router({ linger: 0 });
    await vi.waitFor(() => this.#router.bind(endpoint), 20_000);
  }

  /** Messages of a subscription, in one packet. */
  async publish(subscription: number, bodies: readonly string[]): Promise<void> {
    for (const text of bodies) {
      const envelope = { subject: "s", headers: noHeaders, contentType: "text/plain", body: Buffer.from(text) };
      this.#link.write().begin(RecordKind.message).u32(subscription).envelope(envelope).end();
    }
    await this.send(this.#link.next()!.packet());
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

test("messages of a packet that is under way when its connection breaks come before those of the next connection", async () => {
  const hub = new ScriptedHub();
  const opening = open(new URL(await hub.listen()), options);
  await hub.welcome(hubA, first, false);
  const driver = await opening;
  const turns: (() => void)[] = [];
  const delivered: number[] = [];
  try {
    const deliver = (batch: readonly Envelope[]): void => {
      for (const { body } of batch) delivered.push(Number(Buffer.from(body).toString()));
      // The packet is long enough for others to get a turn in its middle: it stays there.
      if (delivered.length > 1) return;
      vi.spyOn(globalThis, "setImmediate").mockImplementationOnce((turn) => {
        turns.push(turn as () => void);
        return {} as NodeJS.Immediate;
      });
    };
    const sink = { deliver, lost: () => undefined, end: () => undefined };
    const subscribing = driver.topics!.subscribe("s", undefined, sink);
    await hub.answer(await hub.next(PacketKind.data));
    await subscribing;
    const numbers = Array.from({ length: 402 }, (_, n) => String(n));
    await hub.publish(1, numbers.slice(0, 400));
    await vi.waitFor(() => expect(turns).toHaveLength(1), 20_000);
    const before = delivered.length;
    expect(before).toBeLessThan(400);

    await hub.cut();
    await hub.welcome(hubA, first, true);
    await hub.publish(1, numbers.slice(400));
    // Long enough for what would overtake to do so; a client that waits passes however long this is.
    await vi.waitFor(() => expect(delivered.length).toBeGreaterThan(before), 500).catch(() => undefined);
    for (const turn of turns) turn();
    await vi.waitFor(() => expect(delivered).toHaveLength(402), 20_000);
    expect(delivered).toEqual(numbers.map(Number));
  } finally {
    vi.restoreAllMocks();
    await driver.close(0);
    hub.close();
  }
});
