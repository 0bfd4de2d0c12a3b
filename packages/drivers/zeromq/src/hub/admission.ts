import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { BusError } from "@quadrant/contract";
import { keyBytes, rawKey, toZ85 } from "../curve-key.ts";
import { maxConnections, maxHalfOpen } from "./limits.ts";
import { Grants, type Permissions } from "./permissions.ts";
import type { Admittance, Applicant } from "./zap.ts";

/** CURVE keys (Z85). Without `clients`, any client with a key is let in; with it, only those, each with its permissions. */
export interface HubAuth {
  readonly secretKey: string;
  readonly clients?: Readonly<Record<string, Permissions>> | undefined;
}

/** Who a connection belongs to. */
export interface Holder {
  /** The client's public key, 32 bytes as latin1; "" without CURVE. */
  readonly key: string;
  /** The same as text that a name may hold. */
  readonly owner: string;
  /** Enough of it, in Z85, to tell it from others. */
  readonly shown: string;
  /** undefined where everything is allowed. */
  readonly grants: Grants | undefined;
}

/** Never 0, with which the routing ids begin that libzmq makes up. */
const issued = 0x01;
const tagBytes = 16;
const identityBytes = 1 + keyBytes + 6 + tagBytes;

const anybody: Holder = { key: "", owner: "", shown: "", grants: undefined };

/**
 * Decides which connections are taken. Under CURVE each is given a routing id in which its client's key stands, sealed: so
 * every packet tells whose it is, and no peer chooses its own id, neither another's nor one that libzmq would make up next,
 * which aborts the process. A connection of another id is asked to be made again.
 */
export class Admission {
  readonly #clients: ReadonlyMap<string, Grants | undefined> | undefined;
  readonly #curve: boolean;
  readonly #seal = randomBytes(32);
  #serial = 0;
  /** Taken by TCP or as a Unix socket, and not ended. */
  #connections = 0;
  /** Turned away since the hub has too many connections. */
  crowded = 0;
  /** Turned away for their key. */
  unknownKeys = 0;
  /** Turned away during the handshake by libzmq: a wrong server key, another mechanism, another protocol. */
  handshakes = 0;
  readonly #attached: () => number;

  /** Throws "invalid" for keys or permissions that are none. `attached`: how many connections have a session. */
  constructor(auth: HubAuth | undefined, attached: () => number) {
    this.#curve = auth !== undefined;
    this.#attached = attached;
    if (auth?.clients === undefined) return;
    const clients = new Map<string, Grants | undefined>();
    for (const [index, [key, permissions]] of Object.entries(auth.clients).entries()) {
      const what = `client ${index + 1}`;
      clients.set(rawKey(`auth.clients: the key of ${what}`, key).toString("latin1"), Grants.of(what, permissions));
    }
    this.#clients = clients;
  }

  get connections(): number {
    return this.#connections;
  }

  get halfOpen(): number {
    return Math.max(0, this.#connections - this.#attached());
  }

  accepted(): void {
    this.#connections++;
  }

  ended(): void {
    this.#connections--;
  }

  /** As libzmq asks: a connection that it has taken, and not yet told anything. */
  judge({ mechanism, key }: Applicant): Admittance {
    if (this.#connections > maxConnections || this.halfOpen > maxHalfOpen) {
      this.crowded++;
      return { admitted: false, status: "300", reason: "too many connections" };
    }
    // libzmq has seen to it that the mechanism is the hub's.
    if (!this.#curve) return { admitted: true, identity: undefined };
    if (mechanism !== "CURVE" || key?.length !== keyBytes || this.#clients?.has(key.toString("latin1")) === false) {
      this.unknownKeys++;
      return { admitted: false, status: "400", reason: "unknown key" };
    }
    return { admitted: true, identity: this.#issue(key) };
  }

  #issue(key: Buffer): Buffer {
    const identity = Buffer.alloc(identityBytes);
    identity[0] = issued;
    identity.set(key, 1);
    identity.writeUIntBE(++this.#serial, 1 + keyBytes, 6);
    this.#tag(identity).copy(identity, identityBytes - tagBytes);
    return identity;
  }

  #tag(identity: Buffer): Buffer {
    const sealed = identity.subarray(0, identityBytes - tagBytes);
    return createHmac("sha256", this.#seal).update(sealed).digest().subarray(0, tagBytes);
  }

  /** Whose connection it is; undefined for a routing id that was not given here. */
  holderOf(route: Buffer): Holder | undefined {
    if (!this.#curve) return anybody;
    if (route.length !== identityBytes || route[0] !== issued) return undefined;
    if (!timingSafeEqual(this.#tag(route), route.subarray(identityBytes - tagBytes))) return undefined;
    const bytes = route.subarray(1, 1 + keyBytes);
    const key = bytes.toString("latin1");
    const shown = toZ85(bytes).slice(0, 8);
    return { key, owner: bytes.toString("base64url"), shown, grants: this.#clients?.get(key) };
  }
}

/** Throws "invalid" for what is no `auth`. */
export function checkAuth(auth: HubAuth): void {
  if (typeof auth !== "object" || auth === null) {
    throw new BusError("invalid", "auth: give { secretKey, clients? }", { driver: "zeromq" });
  }
  const { clients } = auth;
  if (clients !== undefined && (typeof clients !== "object" || clients === null || Array.isArray(clients))) {
    throw new BusError("invalid", "auth.clients: give an object { [publicKey]: permissions }", { driver: "zeromq" });
  }
}
