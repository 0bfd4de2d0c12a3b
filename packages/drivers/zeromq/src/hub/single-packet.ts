import type { PacketSource } from "./router.ts";

/** One packet to a connection without a session. What does not go out is nobody's loss: it is asked for again. */
export class SinglePacket implements PacketSource {
  readonly route: Buffer;
  #left: Buffer | undefined;

  constructor(route: Buffer, packet: Buffer) {
    this.route = route;
    this.#left = packet;
  }

  nextPacket(): ReturnType<PacketSource["nextPacket"]> {
    const packet = this.#left;
    if (packet === undefined) return undefined;
    this.#left = undefined;
    return { packet, sent: () => undefined, failed: () => undefined };
  }
}
