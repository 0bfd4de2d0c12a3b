/**
 * What a data packet holds: any number of records, one after the other. All integers are big-endian.
 *
 *   0  u32  length of the body
 *   4  u8   kind
 *   5       body, by kind; "values" is one msgpack array
 */

export const recordHeaderBytes = 5;

export const RecordKind: {
  /** Withdrawn before it was sent: skipped. */
  readonly void: 0;
  // client to hub
  readonly publish: 1;
  readonly request: 2;
  readonly cancel: 3;
  readonly undo: 4;
  readonly call: 5;
  readonly callCredit: 6;
  readonly callCancel: 7;
  readonly invokeReply: 8;
  readonly bye: 9;
  readonly invokeRefuse: 10;
  readonly requestAgain: 11;
  // hub to client
  readonly message: 17;
  readonly lost: 18;
  readonly response: 19;
  readonly callFrame: 20;
  readonly callFail: 21;
  readonly invoke: 22;
  readonly invokeCredit: 23;
  readonly invokeCancel: 24;
  readonly subscriptionEnd: 25;
  readonly publishDenied: 26;
} = {
  /* empty body or remains */
  void: 0,
  /* envelope (envelope.ts) */
  publish: 1,
  /* u32 request | u8 operation (operation.ts) | values, or as layout.ts has them */
  request: 2,
  /* u32 request: stop waiting; the response says what was decided */
  cancel: 3,
  /* u32 request: its response came too late; what it captured goes back */
  undo: 4,
  /* u32 call | invocation (transfer.ts) */
  call: 5,
  /* u32 call | u32 items */
  callCredit: 6,
  /* u32 call */
  callCancel: 7,
  /* u32 invocation | reply (transfer.ts) */
  invokeReply: 8,
  /* empty: the client leaves; what it holds goes back */
  bye: 9,
  /* u32 invocation: nobody serves it here any more, another server may have it */
  invokeRefuse: 10,
  /* u32 request | u8 operation | 16 B session in which it was asked first, under the same number | values */
  requestAgain: 11,
  /* u32 subscription | envelope */
  message: 17,
  /* u32 subscription | u32 messages */
  lost: 18,
  /* u32 request | u8 status: 0 done, 1 failed | values, or as layout.ts has them; or values [code, message] */
  response: 19,
  /* u32 call | reply */
  callFrame: 20,
  /* u32 call | values [code, message] */
  callFail: 21,
  /* u32 invocation | u32 registration | invocation */
  invoke: 22,
  /* u32 invocation | u32 items */
  invokeCredit: 23,
  /* u32 invocation */
  invokeCancel: 24,
  /* u32 subscription | values [code, message] */
  subscriptionEnd: 25,
  /* text subject: what is published there by this client is dropped, its key does not permit it */
  publishDenied: 26,
};

/** Where the record that begins at `at` ends; undefined where it is not all there. */
export function recordEnd(packet: Buffer, at: number): number | undefined {
  if (at + recordHeaderBytes > packet.length) return undefined;
  const end = at + recordHeaderBytes + packet.readUInt32BE(at);
  return end > packet.length ? undefined : end;
}

/**
 * Calls `visit` for each record of a packet from `offset` on, with where its body begins and ends. Returns false, having
 * visited those before, where it is malformed.
 */
export function eachRecord(
  packet: Buffer,
  offset: number,
  visit: (kind: number, start: number, end: number) => void,
): boolean {
  let at = offset;
  while (at < packet.length) {
    const end = recordEnd(packet, at);
    if (end === undefined) return false;
    const kind = packet[at + 4]!;
    if (kind !== RecordKind.void) visit(kind, at + recordHeaderBytes, end);
    at = end;
  }
  return true;
}
