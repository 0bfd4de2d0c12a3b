/**
 * The outermost layer: what one ZeroMQ message holds. All integers are big-endian.
 *
 *   0  u8   0x51 "Q"
 *   1  u8   protocol version; of a hello the highest that the client speaks
 *   2  u8   kind
 *   3       body, by kind
 *
 *   hello    u8 lowest version spoken | 16 B session to resume, or zeros | u48 last packet received | msgpack about
 *   welcome  16 B hub | 16 B session | u8 resumed | u48 last packet received | msgpack about
 *   refuse   msgpack [code, message]; the connection ends
 *   data     u48 sequence | u48 acknowledged | records (record.ts)
 *   ack      u48 acknowledged; sent by either side when it has been silent for a heartbeat
 *   gone     the session is unknown or was ended; a client says hello again
 */

export const magic = 0x51;
/** The highest version that this code speaks, and the lowest. */
export const protocolVersion = 2;
export const lowestVersion = 2;

export const PacketKind: {
  readonly hello: 1;
  readonly welcome: 2;
  readonly refuse: 3;
  readonly data: 4;
  readonly ack: 5;
  readonly gone: 6;
} = { hello: 1, welcome: 2, refuse: 3, data: 4, ack: 5, gone: 6 };

export const headerBytes = 3;
export const dataHeaderBytes = 15;
export const idBytes = 16;

function header(kind: number, bodyBytes: number): Buffer {
  const packet = Buffer.allocUnsafe(headerBytes + bodyBytes);
  packet[0] = magic;
  packet[1] = protocolVersion;
  packet[2] = kind;
  return packet;
}

/** Whether a message is a packet of a version that this code reads. A hello is, whatever its version: it is refused in words. */
export function isPacket(message: Buffer): boolean {
  if (message.length < headerBytes || message[0] !== magic) return false;
  return message[1] === protocolVersion || message[2] === PacketKind.hello || message[2] === PacketKind.refuse;
}

export interface Hello {
  /** The client speaks every version from the lowest to the highest. */
  readonly lowest: number;
  readonly highest: number;
  /** Hex; undefined for a new session. */
  readonly session: string | undefined;
  readonly received: number;
  readonly about: Buffer;
}

const noSession = "00".repeat(idBytes);

export function encodeHello(session: string | undefined, received: number, about: Uint8Array): Buffer {
  const packet = header(PacketKind.hello, 1 + idBytes + 6 + about.length);
  packet[3] = lowestVersion;
  packet.write(session ?? noSession, 4, "hex");
  packet.writeUIntBE(received, 20, 6);
  packet.set(about, 26);
  return packet;
}

export function decodeHello(packet: Buffer): Hello | undefined {
  if (packet.length < 26) return undefined;
  const session = packet.toString("hex", 4, 20);
  return {
    lowest: packet[3]!,
    highest: packet[1]!,
    session: session === noSession ? undefined : session,
    received: packet.readUIntBE(20, 6),
    about: packet.subarray(26),
  };
}

/** The version to use with a client: the highest that both speak; undefined where there is none. */
export function agreedVersion({ lowest, highest }: Hello): number | undefined {
  const version = Math.min(highest, protocolVersion);
  return version >= Math.max(lowest, lowestVersion) ? version : undefined;
}

export interface Welcome {
  readonly hub: string;
  readonly session: string;
  readonly resumed: boolean;
  readonly received: number;
  readonly about: Buffer;
}

export function encodeWelcome(welcome: Omit<Welcome, "about">, about: Uint8Array): Buffer {
  const packet = header(PacketKind.welcome, 2 * idBytes + 1 + 6 + about.length);
  packet.write(welcome.hub, 3, "hex");
  packet.write(welcome.session, 19, "hex");
  packet[35] = welcome.resumed ? 1 : 0;
  packet.writeUIntBE(welcome.received, 36, 6);
  packet.set(about, 42);
  return packet;
}

export function decodeWelcome(packet: Buffer): Welcome | undefined {
  if (packet.length < 42) return undefined;
  return {
    hub: packet.toString("hex", 3, 19),
    session: packet.toString("hex", 19, 35),
    resumed: packet[35] === 1,
    received: packet.readUIntBE(36, 6),
    about: packet.subarray(42),
  };
}

export function encodeRefuse(reason: Uint8Array): Buffer {
  const packet = header(PacketKind.refuse, reason.length);
  packet.set(reason, headerBytes);
  return packet;
}

export function encodeGone(): Buffer {
  return header(PacketKind.gone, 0);
}

export function encodeAck(acknowledged: number): Buffer {
  const packet = header(PacketKind.ack, 6);
  packet.writeUIntBE(acknowledged, headerBytes, 6);
  return packet;
}

export function decodeAck(packet: Buffer): number | undefined {
  return packet.length === headerBytes + 6 ? packet.readUIntBE(headerBytes, 6) : undefined;
}

/** Writes the header of a data packet into the room left at its front. */
export function stampData(packet: Buffer, sequence: number, acknowledged: number): void {
  packet[0] = magic;
  packet[1] = protocolVersion;
  packet[2] = PacketKind.data;
  packet.writeUIntBE(sequence, 3, 6);
  packet.writeUIntBE(acknowledged, 9, 6);
}

export function readData(packet: Buffer): { readonly sequence: number; readonly acknowledged: number } | undefined {
  if (packet.length < dataHeaderBytes) return undefined;
  return { sequence: packet.readUIntBE(3, 6), acknowledged: packet.readUIntBE(9, 6) };
}
