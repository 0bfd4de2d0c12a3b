import { BusError, type Envelope, noHeaders, TextEnvelope } from "@quadrant/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Batch } from "./batch.ts";
import { passedCall, passedFrame, readCall, readFrame, writeCall, writeFrame } from "./call.ts";
import { WireEnvelope } from "./envelope.ts";
import {
  dataHeaderBytes,
  decodeAck,
  decodeHello,
  decodeWelcome,
  encodeAck,
  encodeGone,
  encodeHello,
  encodeWelcome,
  isPacket,
  readData,
} from "./packet.ts";
import { eachRecord, RecordKind, recordHeaderBytes } from "./record.ts";
import { leasedRow, letterRow, readLeased, readLetter, readSettlement, settlementRow } from "./transfer.ts";
import { decodeError, encodeError, encodeValues, flatHeaders, Values } from "./values.ts";

test("an envelope that was made from a text has the same bytes as one that was made from bytes", () => {
  const text = JSON.stringify({ name: "Größe", deep: ["a".repeat(5_000)] });
  const written = (envelope: Envelope): Buffer => {
    const batch = new Batch();
    batch.begin(RecordKind.publish).envelope(envelope).end();
    return Buffer.from(batch.packet().subarray(dataHeaderBytes));
  };
  const body = Buffer.from(text);
  const plain = { subject: "a", headers: { h: "1" }, contentType: "application/json", body };
  expect(written(new TextEnvelope("a", { h: "1" }, "application/json", text))).toEqual(written(plain));
});

test("the memory of a packet that has arrived is used for the next, that of one which was sent twice is not", () => {
  const filled = (): Batch => {
    const batch = new Batch(20_000);
    batch.begin(RecordKind.publish).bytes(Buffer.alloc(10_000, 1)).end();
    return batch;
  };
  const memoryOf = (batch: Batch): ArrayBufferLike => batch.packet().buffer;
  const first = filled();
  const memory = memoryOf(first);
  first.markAcknowledged();
  const second = filled();
  expect(memoryOf(second)).toBe(memory);
  second.repeated = true;
  second.markAcknowledged();
  expect(memoryOf(filled())).not.toBe(memory);
});

const token = fc.stringMatching(/^[a-zß€😀]{1,8}$/u);
const headers = fc.dictionary(
  fc.oneof(fc.constantFrom("__proto__", "constructor"), fc.stringMatching(/^[!-9;-~]{1,20}$/)),
  fc.string({ unit: "grapheme", maxLength: 40 }),
);
const contentType = fc.constantFrom(
  "",
  "application/json",
  "application/octet-stream",
  "application/msgpack",
  "application/x-other",
);
const body = fc.uint8Array({ maxLength: 300 });
const envelope: fc.Arbitrary<Envelope> = fc.record({
  subject: fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join(".")),
  headers,
  contentType,
  body,
});

function onlyRecord(packet: Buffer): Buffer {
  let found: Buffer | undefined;
  const visit = (_: number, start: number, end: number): void => {
    found = packet.subarray(start, end);
  };
  expect(eachRecord(packet, dataHeaderBytes, visit)).toBe(true);
  return found!;
}

function raw(value: Envelope): Buffer {
  const batch = new Batch();
  batch.begin(RecordKind.publish).envelope(value).end();
  return onlyRecord(batch.packet());
}

/** The body of a record. */
function written(write: (batch: Batch) => Batch): Buffer {
  const batch = new Batch();
  write(batch.begin(RecordKind.call)).end();
  return batch.packet().subarray(dataHeaderBytes + recordHeaderBytes);
}

function plain(value: Envelope): unknown {
  return [value.subject, Object.entries(value.headers), value.contentType, Buffer.from(value.body).toString("hex")];
}

describe("envelope", () => {
  test("comes out as it went in, also when it is passed on", () => {
    fc.assert(
      fc.property(envelope, (sent) => {
        const received = WireEnvelope.read(raw(sent))!;
        expect(plain(received)).toEqual(plain(sent));
        expect(plain(WireEnvelope.read(raw(received))!)).toEqual(plain(sent));
      }),
    );
  });

  test("survives the growth of its batch, wherever that falls", () => {
    const batch = new Batch();
    const sent = {
      subject: "a.b",
      headers: { name: "value" },
      contentType: "application/x-other",
      body: new Uint8Array(77).fill(7),
    };
    for (let i = 0; i < 500; i++) batch.begin(RecordKind.publish).envelope(sent).end();
    let count = 0;
    const packet = batch.packet();
    eachRecord(packet, dataHeaderBytes, (_, start, end) => {
      count++;
      expect(plain(WireEnvelope.read(packet.subarray(start, end))!)).toEqual(plain(sent));
    });
    expect(count).toBe(500);
  });

  test("without headers it shares the empty ones", () => {
    const received = WireEnvelope.read(
      raw({ subject: "a", headers: noHeaders, contentType: "", body: new Uint8Array() }),
    )!;
    expect(received.headers).toBe(noHeaders);
  });

  test("any bytes either are one or are none: never a throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), envelope, fc.nat(), fc.nat(255), (noise, sent, at, value) => {
        const mutated = Buffer.from(raw(sent));
        mutated[at % mutated.length] = value;
        for (const bytes of [Buffer.from(noise), mutated, mutated.subarray(0, at % mutated.length)]) {
          const received = WireEnvelope.read(bytes);
          if (received !== undefined) plain(received);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("packets", () => {
  const session = "0123456789abcdef0123456789abcdef";

  test("hello and welcome", () => {
    expect(decodeHello(encodeHello(undefined, 0, Buffer.from("x")))).toMatchObject({
      lowest: 2,
      highest: 2,
      session: undefined,
      received: 0,
    });
    expect(decodeHello(encodeHello(session, 2 ** 40, Buffer.from("x")))).toMatchObject({ session, received: 2 ** 40 });
    const welcome = { hub: session, session: `${session.slice(2)}ff`, resumed: true, received: 7 };
    expect(decodeWelcome(encodeWelcome(welcome, Buffer.from("about")))).toMatchObject({
      ...welcome,
      about: Buffer.from("about"),
    });
    expect(decodeHello(encodeGone())).toBeUndefined();
    expect(decodeWelcome(encodeGone())).toBeUndefined();
  });

  test("acknowledgements and headers of what is too short are none", () => {
    expect(decodeAck(encodeAck(2 ** 47))).toBe(2 ** 47);
    expect(decodeAck(encodeGone())).toBeUndefined();
    expect(readData(encodeGone())).toBeUndefined();
  });

  test("another version is none of ours, but for its hello", () => {
    const hello = encodeHello(undefined, 0, Buffer.alloc(0));
    hello[1] = 9;
    expect(isPacket(hello)).toBe(true);
    const ack = encodeAck(1);
    expect(isPacket(ack)).toBe(true);
    ack[1] = 9;
    expect(isPacket(ack)).toBe(false);
    expect(isPacket(Buffer.from("GET / HTTP/1.1"))).toBe(false);
    expect(isPacket(Buffer.alloc(0))).toBe(false);
  });

  test("records that claim more than there is end the packet", () => {
    const batch = new Batch();
    batch.begin(RecordKind.publish).u32(1).end();
    batch.begin(RecordKind.publish).u32(2).end();
    const packet = Buffer.from(batch.packet());
    packet.writeUInt32BE(4_000_000_000, dataHeaderBytes + 9);
    const seen: number[] = [];
    expect(eachRecord(packet, dataHeaderBytes, (_, start) => seen.push(packet.readUInt32BE(start)))).toBe(false);
    expect(seen).toEqual([1]);
    expect(eachRecord(packet.subarray(0, dataHeaderBytes + 3), dataHeaderBytes, () => expect.unreachable())).toBe(
      false,
    );
  });
});

describe("values", () => {
  const through = (values: readonly unknown[]): Values => Values.read(encodeValues(values));

  test("headers keep every name, __proto__ included", () => {
    const given = Object.fromEntries([
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
    expect(Object.entries(through([flatHeaders(given)]).headers(0))).toEqual(Object.entries(given));
  });

  test("letters, settlements, calls and frames come out as they went in", () => {
    const letter = {
      id: "1",
      dedupe: true,
      headers: { a: "b" },
      contentType: "x/y",
      body: new Uint8Array([1, 2]),
      delayMs: 5,
      ttlMs: undefined,
      key: "k",
    };
    expect(readLetter(through(letterRow(letter)))).toEqual({ ...letter, body: Buffer.from([1, 2]) });
    const leased = {
      subject: "s",
      headers: {},
      contentType: "",
      body: new Uint8Array(),
      id: "i",
      token: "t",
      attempt: 2,
      sentAt: 1.8e12,
      seq: undefined,
    };
    expect(readLeased(through(leasedRow(leased)))).toEqual({ ...leased, body: Buffer.alloc(0) });
    for (const settlement of [
      { kind: "ack", token: "t" },
      { kind: "release", token: "t" },
      { kind: "nak", token: "t", delayMs: 0, failure: undefined },
      { kind: "nak", token: "t", delayMs: 9, failure: { code: "c", message: "m" } },
      { kind: "reject", token: "t", failure: { code: "c", message: "" } },
      { kind: "extend", token: "t", leaseMs: Number.POSITIVE_INFINITY },
    ] as const) {
      expect(readSettlement(through(settlementRow(settlement)))).toEqual(settlement);
    }
  });

  test("calls come out as they went in, also when the hub passes them on", () => {
    fc.assert(
      fc.property(headers, contentType, body, fc.nat(), (headers, contentType, body, credit) => {
        const call = { address: "a.b", method: "größe", headers, contentType, body, timeoutMs: 1.5, credit };
        const expected = { ...call, body: Buffer.from(body) };
        const came = written((batch) => writeCall(batch, call));
        const passed = passedCall(came, 0, came.length);
        expect(passed.address).toBe("a.b");
        const bytes = written((batch) => writeCall(batch, passed));
        expect(readCall(bytes, 0, bytes.length)).toEqual(expected);
        for (let cut = 0; cut < bytes.length - body.length; cut++) {
          expect(() => passedCall(bytes, 0, cut)).toThrow(expect.objectContaining({ code: "invalid" }));
        }
      }),
      { numRuns: 50 },
    );
  });

  test("a call outlives its packet without keeping a large one", () => {
    const call = { address: "a", method: "m", headers: {}, contentType: "c", body: Buffer.from("x"), timeoutMs: 1 };
    const bytes = written((batch) => writeCall(batch, { ...call, credit: 0 }));
    const packet = Buffer.concat([bytes, Buffer.alloc(1_000_000)]);
    for (const read of [readCall, passedCall]) {
      const { body } = read(packet, 0, bytes.length);
      expect(Buffer.from(body)).toEqual(call.body);
      expect(body.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
    }
  });

  test("frames come out as they went in", () => {
    for (const kind of ["value", "item", "end", "error"] as const) {
      const frame = { kind, contentType: "c", body: Buffer.from([1]) };
      const bytes = written((batch) => writeFrame(batch, frame));
      expect(readFrame(bytes, 0, bytes.length)).toEqual(frame);
      // Passed on by a hub, from behind a number.
      const passed = passedFrame(Buffer.concat([Buffer.alloc(4), bytes, bytes]), 4, 4 + bytes.length);
      expect(passed).toMatchObject(frame);
      expect(written((batch) => writeFrame(batch, passed))).toEqual(bytes);
    }
    for (const malformed of [[9, 0], [0], [0, 200], [0, 255, 5, 0x61]]) {
      expect(() => readFrame(Buffer.from(malformed), 0, malformed.length)).toThrow(BusError);
      expect(() => passedFrame(Buffer.from(malformed), 0, malformed.length)).toThrow(BusError);
    }
  });

  test("errors keep code and message; an unknown code is none of ours", () => {
    expect(decodeError(through(encodeError(new BusError("conflict", "no"))))).toMatchObject({
      code: "conflict",
      message: "no",
      driver: "zeromq",
    });
    expect(decodeError(through(["nonsense", "?"]))).toMatchObject({ code: "unavailable" });
  });

  test("what is not of the asked kind is invalid", () => {
    const values = through(["text", 1, null, [1], { a: 1 }, Number.NaN]);
    for (const read of [
      () => values.number(0),
      () => values.string(1),
      () => values.bytes(0),
      () => values.strings(3),
      () => values.list(3),
      () => values.values(4),
      () => values.headers(4),
      () => values.number(5),
      () => values.string(99),
    ]) {
      expect(read).toThrow(expect.objectContaining({ code: "invalid" }));
    }
    for (const number of [-1, 0.5, 2 ** 32, Number.POSITIVE_INFINITY, "1"]) {
      expect(() => through([number]).u32(0)).toThrow(expect.objectContaining({ code: "invalid" }));
    }
    expect(through([0xffff_ffff]).u32(0)).toBe(0xffff_ffff);
    expect(values.optionalNumber(2)).toBeUndefined();
    expect(values.optionalString(99)).toBeUndefined();
  });

  test("any bytes either are values or invalid", () => {
    const deep = Buffer.alloc(100_000, 0x91);
    expect(() => Values.read(deep)).toThrow(expect.objectContaining({ code: "invalid" }));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          Values.read(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: "invalid" });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
