import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dataHeaderBytes, decodeAck, encodeAck, readData } from "../wire/packet.ts";
import { eachRecord, RecordKind } from "../wire/record.ts";
import { Link, windowBytes } from "./link.ts";

function writeNumber(link: Link, value: number, padding = 0): void {
  link.write().begin(RecordKind.publish).u32(value).bytes(Buffer.alloc(padding)).end();
}

/** Feeds a packet to a link; what it took, in order. */
function take(link: Link, packet: Buffer): { readonly verdict: string; readonly values: readonly number[] } {
  const verdict = link.accept(packet);
  const values: number[] = [];
  if (verdict === "take") eachRecord(packet, dataHeaderBytes, (_, start) => values.push(packet.readUInt32BE(start)));
  if (verdict === "take") link.taken();
  const header = readData(packet);
  if (header !== undefined) link.acknowledge(header.acknowledged);
  return { verdict, values };
}

describe("link", () => {
  test("what is written in one turn goes out as one packet, in order", () => {
    const a = new Link();
    const b = new Link();
    for (let i = 0; i < 100; i++) writeNumber(a, i);
    const packet = a.next()!.packet();
    expect(a.next()).toBeUndefined();
    expect(take(b, packet).values).toEqual([...Array(100).keys()]);
  });

  test("a packet that came twice is taken once, one that is missing breaks the connection", () => {
    const a = new Link();
    const b = new Link();
    const packets = [1, 2, 3].map((value) => {
      writeNumber(a, value);
      return Buffer.from(a.next()!.packet());
    });
    expect(take(b, packets[0]!)).toEqual({ verdict: "take", values: [1] });
    expect(take(b, packets[0]!).verdict).toBe("repeat");
    expect(take(b, packets[2]!).verdict).toBe("broken");
    expect(take(b, packets[1]!).values).toEqual([2]);
    expect(b.accept(Buffer.alloc(3))).toBe("broken");
  });

  test("beyond the window it waits for acknowledgements", () => {
    const a = new Link();
    const b = new Link();
    for (let i = 0; i < 200; i++) writeNumber(a, i, 60_000);
    let last: Buffer | undefined;
    for (let batch = a.next(); batch !== undefined; batch = a.next()) last = batch.packet();
    expect(a.unacknowledgedBytes).toBeGreaterThanOrEqual(windowBytes);
    expect(a.unacknowledgedBytes).toBeLessThan(windowBytes + 200_000);
    expect(a.ready).toBe(false);
    a.acknowledge(readData(last!)!.sequence);
    expect(a.unacknowledgedBytes).toBe(0);
    expect(a.ready).toBe(true);
    expect(b.received).toBe(0);
  });

  test("what is kept until it is acknowledged counts with its memory, and has no room to spare", () => {
    const a = new Link();
    writeNumber(a, 1, 60_000);
    a.next();
    const before = a.unacknowledgedBytes;
    expect(before).toBeGreaterThan(60_000);
    writeNumber(a, 2);
    const { buffer } = a.next()!.packet();
    // Of the pool for small buffers, if any.
    expect(buffer.byteLength).toBeLessThanOrEqual(Math.max(Buffer.poolSize, 4_096));
    expect(a.unacknowledgedBytes - before).toBeGreaterThan(512);
    expect(a.unacknowledgedBytes - before).toBeLessThan(4_096);
    a.acknowledge(2);
    expect(a.unacknowledgedBytes).toBe(0);
  });

  test("a packet that the socket refuses the second time keeps its number, and cannot be withdrawn: the peer may have it", () => {
    const a = new Link();
    const b = new Link();
    writeNumber(a, 1);
    const record = a.write().begin(RecordKind.publish).u32(2).endPending({});
    expect(take(b, Buffer.from(a.next()!.packet())).values).toEqual([1, 2]);
    a.resume(0);
    a.unsend(a.next()!);
    expect(record.withdraw()).toBe(false);
    expect(take(b, a.next()!.packet()).verdict).toBe("repeat");
    writeNumber(a, 3);
    expect(take(b, a.next()!.packet())).toEqual({ verdict: "take", values: [3] });
  });

  test("of several that are sent again the refused one is sent again, and all behind it", () => {
    const a = new Link();
    for (const value of [1, 2, 3]) {
      writeNumber(a, value);
      a.next();
    }
    a.resume(0);
    expect(a.next()!.sequence).toBe(1);
    a.unsend(a.next()!);
    expect([a.next(), a.next(), a.next()].map((batch) => batch?.sequence)).toEqual([2, 3, undefined]);
  });

  test("a packet that is withheld is not acknowledged by what goes out before the answer to it has arrived", () => {
    const hub = new Link();
    const client = new Link();
    for (const value of [1, 2]) writeNumber(client, value, 70_000);
    writeNumber(hub, 10);
    expect(take(client, hub.next()!.packet()).values).toEqual([10]);
    writeNumber(hub, 11);
    const packet = hub.next()!.packet();
    expect(client.accept(packet)).toBe("take");
    // Its answer stands behind the two that wait.
    const acknowledged = client.withhold();
    client.write().begin(RecordKind.undo).u32(11).endPending({ acknowledged });
    client.taken();
    expect(client.received).toBe(1);
    const sent = [client.next()!, client.next()!, client.next()!];
    expect(sent.map((batch) => readData(batch.packet())!.acknowledged)).toEqual([1, 1, 1]);
    client.acknowledge(2);
    expect(client.received).toBe(1);
    client.acknowledge(3);
    expect(client.received).toBe(2);
  });

  test("a record can be withdrawn until its packet is sent", () => {
    const a = new Link();
    const b = new Link();
    writeNumber(a, 1);
    const early = a.write().begin(RecordKind.publish).u32(2).endPending({});
    writeNumber(a, 3);
    expect(early.sent).toBe(false);
    expect(early.withdraw()).toBe(true);
    const late = a.write().begin(RecordKind.publish).u32(4).endPending({});
    const packet = a.next()!.packet();
    expect(late.withdraw()).toBe(false);
    expect(take(b, packet).values).toEqual([1, 3, 4]);
  });

  test("hooks tell when a record was sent and when it was acknowledged", () => {
    const a = new Link();
    const told: string[] = [];
    a.write()
      .begin(RecordKind.publish)
      .u32(1)
      .endPending({ sent: () => told.push("sent"), acknowledged: () => told.push("acknowledged") });
    const batch = a.next()!;
    batch.markSent();
    expect(told).toEqual(["sent"]);
    a.acknowledge(0);
    expect(told).toEqual(["sent"]);
    a.acknowledge(batch.sequence);
    expect(told).toEqual(["sent", "acknowledged"]);
  });

  test("a batch that the socket refused is pending again, with its number", () => {
    const a = new Link();
    const b = new Link();
    writeNumber(a, 1);
    a.unsend(a.next()!);
    writeNumber(a, 2);
    const values = [a.next()!, a.next()!].flatMap((batch) => take(b, batch.packet()).values);
    expect(values).toEqual([1, 2]);
  });

  test("after a restart numbering begins anew: first what is set up again, then what was never sent", () => {
    const a = new Link();
    writeNumber(a, 1);
    a.next();
    writeNumber(a, 2);
    a.restart(() => writeNumber(a, 100));
    const b = new Link();
    const values: number[] = [];
    for (let batch = a.next(); batch !== undefined; batch = a.next()) values.push(...take(b, batch.packet()).values);
    expect(values).toEqual([100, 2]);
    expect(a.pendingBytes).toBe(0);
  });

  test("acknowledges a packet only once its records were dealt with", () => {
    const a = new Link();
    const b = new Link();
    writeNumber(a, 1);
    expect(b.accept(a.next()!.packet())).toBe("take");
    writeNumber(b, 2);
    expect(readData(b.next()!.packet())!.acknowledged).toBe(0);
    b.taken();
    writeNumber(b, 3);
    expect(readData(b.next()!.packet())!.acknowledged).toBe(1);
  });

  test("owes an acknowledgement after many packets", () => {
    const a = new Link();
    const b = new Link();
    let packets = 0;
    while (!b.owesAck) {
      writeNumber(a, packets++);
      take(b, a.next()!.packet());
    }
    expect(packets).toBe(32);
    b.acked();
    expect(b.owesAck).toBe(false);
    a.acknowledge(decodeAck(encodeAck(b.received))!);
    expect(a.unacknowledgedBytes).toBe(0);
  });

  test("each record arrives once and in order, over any number of connections, whatever each of them loses", () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant("write" as const), count: fc.integer({ min: 1, max: 5 }) }) },
      { weight: 5, arbitrary: fc.record({ do: fc.constant("send" as const), count: fc.integer({ min: 1, max: 3 }) }) },
      {
        weight: 5,
        arbitrary: fc.record({ do: fc.constant("arrive" as const), count: fc.integer({ min: 1, max: 3 }) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("ack" as const), count: fc.constant(1) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("cut" as const), count: fc.constant(1) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const a = new Link();
        const b = new Link();
        let written = 0;
        let wire: Buffer[] = [];
        const got: number[] = [];
        const arrive = (packet: Buffer): void => {
          const { verdict, values } = take(b, packet);
          expect(verdict).not.toBe("broken");
          got.push(...values);
        };
        for (const { do: what, count } of steps) {
          for (let i = 0; i < count; i++) {
            if (what === "write") writeNumber(a, written++);
            else if (what === "send") {
              const batch = a.next();
              if (batch !== undefined) wire.push(Buffer.from(batch.packet()));
            } else if (what === "arrive") {
              const packet = wire.shift();
              if (packet !== undefined) arrive(packet);
            } else if (what === "ack") a.acknowledge(b.received);
            else {
              // The connection is cut: what is under way is lost, both sides meet again.
              wire = [];
              a.resume(b.received);
            }
          }
        }
        wire.forEach(arrive);
        for (let batch = a.next(); batch !== undefined; batch = a.next()) arrive(batch.packet());
        expect(got).toEqual([...Array(written).keys()]);
      }),
      { numRuns: 300 },
    );
  });
});
