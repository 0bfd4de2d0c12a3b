import { randomBytes } from "node:crypto";
import { BusError } from "@quadrant/contract";
import { Engine } from "@quadrant/engine";
import { endpointOf, urlOf } from "../address.ts";
import {
  decodeHello,
  encodeAck,
  encodeGone,
  encodeRefuse,
  encodeWelcome,
  idBytes,
  PacketKind,
  protocolVersion,
} from "../wire/packet.ts";
import { encodeValues, Values } from "../wire/values.ts";
import { graceMs, heartbeatMs, maxPayloadBytes, maxSessions, silenceMs } from "./limits.ts";
import { HubRouter } from "./router.ts";
import { HubSession, type SessionHost } from "./session.ts";

/** CURVE keys (Z85). Without `clients`, any client with a key is let in; with it, only those, each with its permissions. */
export interface HubAuth {
  readonly secretKey: string;
  readonly clients?: Readonly<Record<string, Permissions>> | undefined;
}

/** Patterns of subjects, addresses and names that may be used; absent means all. */
export interface Permissions {
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
  readonly logs?: readonly string[];
  readonly mailboxes?: readonly string[];
  readonly spaces?: readonly string[];
  readonly blobs?: readonly string[];
  readonly serve?: readonly string[];
  readonly call?: readonly string[];
}

export interface HubOptions {
  readonly url?: string | undefined;
  readonly data?: string | undefined;
  readonly auth?: HubAuth | undefined;
}

export interface Hub extends AsyncDisposable {
  /** What to connect to. */
  readonly url: string;
  readonly publicKey?: string | undefined;
}

/**
 * Starts a hub in this process. Port 0, the default, picks a free one; `url` on the result is what to connect to.
 * Rejects with "invalid" for a URL that is none, "unavailable" when the address is taken, "unsupported" for `data` and
 * `auth`, which this release does not have.
 */
export async function startHub(options: HubOptions = {}): Promise<Hub> {
  if (options.data !== undefined) {
    throw new BusError("unsupported", "this release holds everything in memory: no durable hub yet", {
      driver: "zeromq",
    });
  }
  if (options.auth !== undefined) {
    throw new BusError("unsupported", "this release has no CURVE authentication yet: bind to loopback", {
      driver: "zeromq",
    });
  }
  let url: URL;
  try {
    url = new URL(options.url ?? "zmq://127.0.0.1:0");
  } catch (cause) {
    throw new BusError("invalid", "the hub's URL is none: use zmq://HOST:PORT or zmq+ipc:///path", {
      cause,
      driver: "zeromq",
    });
  }
  if (url.protocol !== "zmq:" && url.protocol !== "zmq+ipc:") {
    throw new BusError("invalid", `a hub listens on zmq: or zmq+ipc:, not ${url.protocol}`, { driver: "zeromq" });
  }
  const hub = new RunningHub();
  await hub.listen(endpointOf(url));
  return { url: hub.url, [Symbol.asyncDispose]: () => hub.close() };
}

class RunningHub {
  readonly #id = randomBytes(idBytes).toString("hex");
  readonly #engine = new Engine();
  readonly #router: HubRouter;
  readonly #sessions = new Map<string, HubSession>();
  readonly #routes = new Map<string, HubSession>();
  readonly #startedAt = performance.now();
  #ticking: NodeJS.Timeout | undefined;
  #lastTick = 0;
  #malformed = 0;
  #refused = 0;

  constructor() {
    this.#router = new HubRouter({
      packet: (route, packet) => this.#packet(route, packet),
      disconnected: () => this.#probe(),
    });
  }

  get url(): string {
    return urlOf(this.#router.endpoint);
  }

  async listen(endpoint: string): Promise<void> {
    await this.#router.bind(endpoint);
    this.#lastTick = performance.now();
    this.#ticking = setInterval(() => this.#tick(), heartbeatMs);
  }

  // -- packets

  #packet(route: Buffer, packet: Buffer): void {
    const kind = packet[2];
    if (kind === PacketKind.hello) {
      this.#hello(route, packet);
      return;
    }
    const session = this.#routes.get(route.toString("latin1"));
    if (session === undefined || session.ended) {
      this.#answer(route, encodeGone());
      return;
    }
    session.lastHeard = performance.now();
    if (!session.attached) session.attach(route, undefined);
    if (kind === PacketKind.ack) session.acknowledge(packet);
    else if (kind !== PacketKind.data) this.#malformed++;
    else if (!session.receive(packet)) {
      // A packet is missing or beyond reading: the client says hello again and both sides compare what they have.
      this.#malformed++;
      this.#routes.delete(route.toString("latin1"));
      session.detach();
      this.#answer(route, encodeGone());
    }
  }

  #hello(route: Buffer, packet: Buffer): void {
    const hello = decodeHello(packet);
    if (hello === undefined || hello.version !== protocolVersion) {
      this.#refuse(
        route,
        "unsupported",
        `this hub speaks version ${protocolVersion} of the protocol, the client does not: use the same release`,
      );
      return;
    }
    let name: string;
    try {
      name = Values.read(hello.about).string(0).slice(0, 255);
    } catch {
      this.#malformed++;
      return;
    }
    const known = hello.session === undefined ? undefined : this.#sessions.get(hello.session);
    if (known === undefined && this.#sessions.size >= maxSessions) {
      this.#refuse(route, "overflow", `this hub has ${maxSessions} clients already`);
      return;
    }
    for (const [key, session] of this.#routes) if (session === known) this.#routes.delete(key);
    const session = known ?? this.#newSession(name);
    this.#routes.set(route.toString("latin1"), session);
    session.detach();
    const welcome = {
      hub: this.#id,
      session: session.id,
      resumed: known !== undefined,
      received: session.link.received,
    };
    const about = encodeValues([heartbeatMs, maxPayloadBytes, false, process.versions.node]);
    session.attach(route, known === undefined ? undefined : hello.received);
    session.control(encodeWelcome(welcome, about));
  }

  #newSession(name: string): HubSession {
    const host: SessionHost = {
      engine: this.#engine.connect(name),
      wake: (session) => this.#router.wake(session),
      end: (session, reason) => this.#end(session, reason),
      describe: () => this.#describe(),
      malformed: () => {
        this.#malformed++;
      },
    };
    const session = new HubSession(randomBytes(idBytes).toString("hex"), name, host);
    this.#sessions.set(session.id, session);
    return session;
  }

  #refuse(route: Buffer, code: string, message: string): void {
    this.#refused++;
    this.#answer(route, encodeRefuse(encodeValues([code, message])));
  }

  /** A packet to a connection without a session. */
  #answer(route: Buffer, packet: Buffer): void {
    let left: Buffer | undefined = packet;
    this.#router.wake({
      route,
      nextPacket: () => {
        if (left === undefined) return undefined;
        const packet = left;
        left = undefined;
        return { packet, sent: () => undefined, failed: () => undefined };
      },
    });
  }

  // -- sessions come and go

  #end(session: HubSession, reason: string): void {
    if (session.ended) return;
    const { route } = session;
    session.end(reason === "bye");
    this.#sessions.delete(session.id);
    for (const [key, each] of this.#routes) if (each === session) this.#routes.delete(key);
    if (route !== undefined) this.#answer(route, encodeGone());
  }

  /** Some connection ended: sending to each client finds out whose it was. */
  #probe(): void {
    for (const session of this.#sessions.values()) {
      if (session.attached) session.control(encodeAck(session.link.received));
    }
  }

  #tick(): void {
    const now = performance.now();
    // After a stall of this process the silence of others proves nothing: their packets are still to be read.
    const stalled = now - this.#lastTick > 2 * heartbeatMs;
    this.#lastTick = now;
    if (stalled) return;
    for (const session of [...this.#sessions.values()]) {
      if (!session.attached) {
        if (now - session.detachedAt > graceMs) this.#end(session, "it did not come back");
      } else if (now - session.lastHeard > silenceMs) {
        session.detach();
      } else if (now - session.lastSpoke > heartbeatMs / 2) {
        session.link.acked();
        session.control(encodeAck(session.link.received));
      }
    }
  }

  #describe(): Readonly<Record<string, unknown>> {
    const sessions = [...this.#sessions.values()];
    return {
      hub: this.#id,
      url: this.url,
      protocol: protocolVersion,
      node: process.versions.node,
      pid: process.pid,
      upMs: Math.round(performance.now() - this.#startedAt),
      residentBytes: process.memoryUsage.rss(),
      durable: false,
      malformed: this.#malformed + this.#router.malformed,
      refused: this.#refused,
      clients: sessions.map((session) => ({
        name: session.name,
        attached: session.attached,
        pendingBytes: session.link.pendingBytes + session.link.unacknowledgedBytes,
        requests: session.requests.size,
        subscriptions: session.topics.size,
        servers: session.calls.serving,
        calls: session.calls.inFlight,
      })),
      ...this.#engine.describe(),
    };
  }

  async close(): Promise<void> {
    if (this.#ticking === undefined) return;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
    for (const session of [...this.#sessions.values()]) this.#end(session, "the hub closes");
    // One turn for the goodbyes to be handed to the socket.
    await new Promise((resolve) => setImmediate(resolve));
    this.#router.close();
    this.#engine.close();
  }
}
