import { BusError, type Envelope, type Outlet } from "@quadrant/contract";
import { RecordKind } from "../wire/record.ts";
import type { Connection } from "./connection.ts";

/** Subjects on which it is known that nothing may be published. */
const maxDenied = 4_096;

/** Writes what is published to the connection with the hub. */
export class Publishing implements Outlet {
  readonly driver = "zeromq" as const;
  readonly broker = "the hub";
  readonly #connection: Connection;
  /** Whether anything was published in this session. */
  #used = false;
  /** undefined where nothing was denied, as for most. */
  #denied: Set<string> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get attached(): boolean {
    return this.#connection.attached;
  }

  get closed(): boolean {
    return this.#connection.closed;
  }

  get pendingBytes(): number {
    return this.#connection.pendingBytes;
  }

  get heldBytes(): number {
    return this.#connection.heldBytes;
  }

  refusal(subject: string): BusError | undefined {
    if (this.#denied?.has(subject) !== true) return undefined;
    const message = `this client's key may not publish ${subject}: let the hub's operator add it to "publish"`;
    return new BusError("denied", message, { driver: "zeromq" });
  }

  write(envelope: Envelope): void {
    this.#used = true;
    this.#connection.write().begin(RecordKind.publish).envelope(envelope).end();
    this.#connection.gathering.written();
  }

  /** The hub drops what this client publishes there: from now on it is refused here. */
  deny(subject: string): void {
    this.#denied ??= new Set();
    if (this.#denied.size >= maxDenied) this.#denied.clear();
    this.#denied.add(subject);
  }

  /** Another hub, or another session: it may permit what the last did not. Returns whether anything was given to the last. */
  renew(): boolean {
    const used = this.#used;
    this.#used = false;
    this.#denied = undefined;
    return used;
  }
}
