import { BusError, type Envelope, noHeaders } from "@quadrant/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Batch } from "./batch.ts";
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
import { eachRecord, RecordKind } from "./record.ts";
import {
  callRow,
  frameCode,
  leasedRow,
  letterRow,
  readCall,
  readFrame,
  readLeased,
  readLetter,
  readSettlement,
  settlementRow,
} from "./transfer.ts";
import { decodeError, encodeError, encodeValues, flatHeaders, Values } from "./values.ts";

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

function raw(value: Envelope): Buffer {
  const batch = new Batch();
  batch.begin(RecordKind.publish).envelope(value).end();
  let found: Buffer | undefined;
  expect(eachRecord(batch.packet(), dataHeaderBytes, (_, record) => (found = record))).toBe(true);
  return found!;
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
    eachRecord(batch.packet(), dataHeaderBytes, (_, record) => {
      count++;
      expect(plain(WireEnvelope.read(record)!)).toEqual(plain(sent));
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
      version: 1,
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
    expect(eachRecord(packet, dataHeaderBytes, (_, record) => seen.push(record.readUInt32BE(0)))).toBe(false);
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
    const call = {
      address: "a",
      method: "m",
      headers: {},
      contentType: "c",
      body: new Uint8Array([0]),
      timeoutMs: 1,
      credit: 0,
    };
    expect(readCall(through(callRow(call)))).toEqual({ ...call, body: Buffer.from([0]) });
    for (const kind of ["value", "item", "end", "error"] as const) {
      const frame = { kind, contentType: "c", body: Buffer.from([1]) };
      expect(readFrame(frameCode(frame), through(["c", frame.body]))).toEqual(frame);
    }
    expect(() => readFrame(9, through(["", new Uint8Array()]))).toThrow(BusError);
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
