import type { BusStatus } from "@quadrant/contract";

/** A session that could not be gone on with. */
export interface LostSession {
  /** Whether the hub that has begun a new one is the one that had it: it may have executed what was sent. */
  readonly sameHub: boolean;
  /** Its id, in hex. */
  readonly session: string;
}

export interface ConnectionEvents {
  /** A record from the hub, its body in the packet from `start` to `end`. Throws where it is malformed. */
  record(kind: number, packet: Buffer, start: number, end: number): void;
  /**
   * The session was lost and a new one begun: write what has to be set up again; what was sent and not answered is for
   * the listener to judge. Resolves once all is set up: then the connection is told to be back.
   */
  renewed(lost: LostSession): Promise<void>;
  /** The link has drained somewhat, or nothing can be said about it any more. */
  progress(): void;
  status(status: BusStatus): void;
}
