import { encodeTemplate, encodeTuple, noHeaders } from "@quadrant/contract";
import {
  Batch,
  dataHeaderBytes,
  encodeValues,
  layouts,
  Operation,
  RecordKind,
  recordHeaderBytes,
  stampData,
} from "@quadrant/zeromq/wire";
import { hostileValues, mutated, type Random } from "./frame-mutation.ts";

/** A record as either side writes it: header and body. */
export type RecordBytes = Buffer;

function record(kind: number, write: (batch: Batch) => void): RecordBytes {
  const batch = new Batch();
  batch.begin(kind);
  write(batch);
  batch.end();
  return Buffer.from(batch.packet().subarray(dataHeaderBytes));
}

function request(operation: number, values: readonly unknown[]): RecordBytes {
  return record(RecordKind.request, (batch) => {
    batch.u32(operation).u8(operation);
    const layout = layouts.get(operation);
    if (layout === undefined) batch.bytes(encodeValues(values));
    else layout.writeRequest(batch, values);
  });
}

const body = Buffer.from('{"n":1}');
const message = { subject: "fuzz.t", contentType: "application/json", headers: { k: "v" }, body };
const letter = ["id", true, ["k", "v"], "application/json", body, 5, 1_000, "key"];
const tuple = encodeTuple(["fuzz", 1]);
const template = encodeTemplate(["fuzz", Number]);

/** Writes an invocation: [timeoutMs, credit, address, method, type, headers, body]. */
function invocation(batch: Batch): void {
  batch.f64(1_000).u32(8).text("fuzz").text("add").mediaType("application/json").headers({ k: "v" }).bytes(body);
}

/** Of everything that a client sends, one; what waits ends by itself or with its session. */
export const clientRecords: readonly RecordBytes[] = [
  record(RecordKind.publish, (batch) => batch.envelope(message)),
  record(RecordKind.publish, (batch) => batch.envelope({ ...message, headers: noHeaders, contentType: "x/y" })),
  record(RecordKind.cancel, (batch) => batch.u32(Operation.spaceTake)),
  record(RecordKind.undo, (batch) => batch.u32(Operation.spaceTake)),
  record(RecordKind.call, (batch) => invocation(batch.u32(1))),
  record(RecordKind.callCredit, (batch) => batch.u32(1).u32(3)),
  record(RecordKind.callCancel, (batch) => batch.u32(1)),
  record(RecordKind.invokeReply, (batch) => batch.u32(1).u8(0).mediaType("application/json").bytes(body)),
  record(RecordKind.invokeRefuse, (batch) => batch.u32(1)),
  request(Operation.sync, []),
  request(Operation.subscribe, [1, "fuzz.>", null]),
  request(Operation.unsubscribe, [1]),
  request(Operation.list, ["space"]),
  request(Operation.serve, [1, ["fuzz", "one", ["add"], null, null, 0, 0, 0]]),
  request(Operation.unserve, [1]),
  request(Operation.services, []),
  request(Operation.queueOpen, ["fuzz", 1_000, 3, 100]),
  request(Operation.queueSend, ["fuzz", [letter]]),
  request(Operation.queueFetch, ["fuzz", 2, 1_000]),
  request(Operation.queueSettle, ["fuzz", [["ack", "token"]]]),
  request(Operation.queueInfo, ["fuzz"]),
  request(Operation.queuePeek, ["fuzz", 2]),
  request(Operation.queueDead, ["fuzz", 2]),
  request(Operation.queueRedrive, ["fuzz", null, 2]),
  request(Operation.queuePurge, ["fuzz"]),
  request(Operation.queueDestroy, ["fuzz"]),
  request(Operation.logOpen, ["fuzz", null, 10_000, 100]),
  request(Operation.logAppend, ["fuzz", "a.b", ["k", "v"], "application/json", body, "id", null]),
  request(Operation.logRead, ["fuzz", ["first"], null, 2, false]),
  request(Operation.logLast, ["fuzz", "a.b"]),
  request(Operation.logInfo, ["fuzz"]),
  request(Operation.logDestroy, ["fuzz"]),
  request(Operation.durableOpen, ["fuzz", "d", null, null, 1_000, 3]),
  request(Operation.durableFetch, ["fuzz", "d", 2, 1_000]),
  request(Operation.durableSettle, ["fuzz", "d", [["ack", "token"]]]),
  request(Operation.spaceOpen, ["fuzz", null, 100, null, null, null]),
  request(Operation.spaceOut, ["fuzz", tuple, 1_000]),
  request(Operation.spaceOutMany, ["fuzz", [tuple, tuple], 1_000]),
  request(Operation.spaceTake, ["fuzz", template]),
  request(Operation.spaceRead, ["fuzz", template]),
  request(Operation.spaceTakeNow, ["fuzz", template]),
  request(Operation.spaceReadAll, ["fuzz", template]),
  request(Operation.spaceCount, ["fuzz", template]),
  request(Operation.spaceClaim, ["fuzz", template, 1_000]),
  request(Operation.spaceSettle, ["fuzz", "ack", "token", null]),
  request(Operation.spaceDestroy, ["fuzz"]),
];

/** Of everything that a hub sends, one. */
export const hubRecords: readonly RecordBytes[] = [
  record(RecordKind.message, (batch) => batch.u32(1).envelope(message)),
  record(RecordKind.lost, (batch) => batch.u32(1).u32(3)),
  record(RecordKind.response, (batch) =>
    batch
      .u32(1)
      .u8(0)
      .bytes(encodeValues([["a", "b"]])),
  ),
  record(RecordKind.response, (batch) =>
    batch
      .u32(2)
      .u8(1)
      .bytes(encodeValues(["invalid", "no"])),
  ),
  record(RecordKind.callFrame, (batch) => batch.u32(1).u8(1).mediaType("application/json").bytes(body)),
  record(RecordKind.callFail, (batch) => batch.u32(1).bytes(encodeValues(["timeout", "late"]))),
  record(RecordKind.invoke, (batch) => invocation(batch.u32(1).u32(1))),
  record(RecordKind.invokeCredit, (batch) => batch.u32(1).u32(3)),
  record(RecordKind.invokeCancel, (batch) => batch.u32(1)),
  record(RecordKind.publishDenied, (batch) => batch.text("fuzz.denied")),
];

/** A message that is as it should be. */
export function messageRecord(subscription: number, subject: string, json: string): RecordBytes {
  const envelope = { subject, contentType: "application/json", headers: noHeaders, body: Buffer.from(json) };
  return record(RecordKind.message, (batch) => batch.u32(subscription).envelope(envelope));
}

/** A data packet that numbers and acknowledges as told. */
export function dataPacket(sequence: number, acknowledged: number, records: readonly RecordBytes[]): Buffer {
  const packet = Buffer.concat([Buffer.alloc(dataHeaderBytes), ...records]);
  stampData(packet, sequence, acknowledged);
  return packet;
}

/** A record with a length that is right, so that what is wrong is in it. */
export function framed(kind: number, bytes: Buffer): RecordBytes {
  const header = Buffer.alloc(recordHeaderBytes);
  header.writeUInt32BE(bytes.length);
  header[4] = kind;
  return Buffer.concat([header, bytes]);
}

/** One to three records of the corpus, mutated: in their body, as a whole, or made up. */
export function mutatedRecords(random: Random, corpus: readonly RecordBytes[]): readonly RecordBytes[] {
  const records: RecordBytes[] = [];
  for (let left = 1 + random.below(3); left > 0; left--) {
    const original = random.of(corpus);
    const kind = original[4]!;
    // A goodbye would end the session, and this the subscription of the good messages: neither by chance.
    const other = (limit: number): number => {
      const made = random.below(limit);
      return made === RecordKind.bye || made === RecordKind.subscriptionEnd ? RecordKind.void : made;
    };
    const choice = random.below(10);
    if (choice < 4) records.push(framed(kind, mutated(random, original.subarray(recordHeaderBytes))));
    else if (choice < 6) records.push(framed(kind, hostileRequest(random, original)));
    else if (choice === 6) records.push(framed(other(256), mutated(random, original.subarray(recordHeaderBytes))));
    else if (choice === 7) records.push(framed(other(32), random.bytes(random.below(64))));
    else if (choice === 8) records.push(mutated(random, original));
    else records.push(original);
  }
  return records;
}

/** A number, an operation where there is one, then values that no honest peer writes. */
function hostileRequest(random: Random, original: RecordBytes): Buffer {
  const head = original[4] === RecordKind.request ? 5 : 4;
  return Buffer.concat([original.subarray(recordHeaderBytes, recordHeaderBytes + head), hostileValues(random)]);
}
