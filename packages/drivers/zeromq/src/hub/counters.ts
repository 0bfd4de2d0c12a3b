/** What a hub dropped, refused or ended, by kind; for `quadrant info`. */
export interface Counters {
  /** ZeroMQ messages that are no packet of this protocol. */
  notPackets: number;
  /** ZeroMQ messages of more than one frame. */
  manyParts: number;
  /** Packets whose kind only a hub sends, or nobody. */
  kinds: number;
  /** Hellos, acknowledgements and data headers that cannot be read. */
  headers: number;
  /** Records that cannot be read, and records cut off by the end of their packet. */
  records: number;
  /** Data packets with a number too high: one is missing. */
  gaps: number;
  /** Data packets that were here before: harmless, and usual after a reconnect. */
  repeated: number;
  /** Hellos over a connection that has its session. */
  repeatedHellos: number;
  /** Packets over a connection without a session. */
  strays: number;
  /** Hellos that name a session of another key, or come over a connection that was given no routing id here. */
  spoofed: number;
  /** Refusals in answer to a hello: another version, too many sessions. */
  refused: number;
  /** Operations that a key does not permit. */
  denied: number;
  /** Operations beyond a bound of their client's. */
  overflows: number;
  /** Sessions ended since too much waited for their client, or for all. */
  ended: number;
}

export function newCounters(): Counters {
  return {
    notPackets: 0,
    manyParts: 0,
    kinds: 0,
    headers: 0,
    records: 0,
    gaps: 0,
    repeated: 0,
    repeatedHellos: 0,
    strays: 0,
    spoofed: 0,
    refused: 0,
    denied: 0,
    overflows: 0,
    ended: 0,
  };
}

/** All that was dropped since it could not be read, or makes no sense. */
export function malformed(counters: Counters): number {
  const { notPackets, manyParts, kinds, headers, records, gaps } = counters;
  return notPackets + manyParts + kinds + headers + records + gaps;
}
