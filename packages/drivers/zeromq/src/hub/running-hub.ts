import { randomBytes } from "node:crypto";
import type { BlobTable, Engine } from "@quadrant/engine";
import { Context } from "zeromq";
import { urlOf } from "../address.ts";
import {
  agreedVersion,
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
import type { Admission, Holder } from "./admission.ts";
import { malformed, newCounters } from "./counters.ts";
import { bounds, graceMs, heartbeatMs, maxPayloadBytes, maxSessions, silenceMs } from "./limits.ts";
import { Memory } from "./memory.ts";
import { Probes } from "./probes.ts";
import { HubRouter } from "./router.ts";
import { HubSession, type SessionHost } from "./session.ts";
import { SinglePacket } from "./single-packet.ts";
import { ZapHandler } from "./zap.ts";

/** What a hub serves. */
export interface Holdings {
  readonly engine: Engine;
  readonly blobs: BlobTable;
  /** Whether they outlive it. */
  readonly durable: boolean;
}

/** One hub: its socket, its sessions, and which connection belongs to which. */
export class RunningHub {
  readonly #id = randomBytes(idBytes).toString("hex");
  readonly #engine: Engine;
  readonly #blobs: BlobTable;
  readonly #durable: boolean;
  readonly #router: HubRouter;
  readonly #sessions = new Map<string, HubSession>();
  readonly #routes = new Map<string, HubSession>();
  readonly #startedAt = performance.now();
  #ticking: NodeJS.Timeout | undefined;
  #lastTick = 0;
  readonly #probes = new Probes(() => this.#probe());
  #closing: Promise<void> | undefined;
  readonly #counters = newCounters();
  readonly #memory = new Memory(() => this.#sessions.values());
  readonly #admission: Admission;
  readonly #curve: boolean;
  readonly #zap: ZapHandler;

  constructor(
    { engine, blobs, durable }: Holdings,
    admission: (attached: () => number) => Admission,
    secretKey: string | undefined,
  ) {
    this.#engine = engine;
    this.#blobs = blobs;
    this.#durable = durable;
    this.#curve = secretKey !== undefined;
    this.#admission = admission(() => this.#routes.size);
    // Of its own: libzmq asks one handler a context, and a process may have several hubs.
    const context = new Context({ blocky: false });
    this.#zap = new ZapHandler(context, (applicant) => this.#admission.judge(applicant));
    this.#router = new HubRouter(context, secretKey, this.#counters, {
      packet: (route, packet) => this.#packet(route, packet),
      accepted: () => this.#admission.accepted(),
      turnedAway: () => {
        this.#admission.handshakes++;
      },
      disconnected: () => {
        this.#admission.ended();
        this.#probes.ask(this.#sessions.size);
      },
    });
  }

  get url(): string {
    return urlOf(this.#router.endpoint);
  }

  async listen(endpoint: string): Promise<void> {
    await this.#zap.listen();
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
      this.#counters.strays++;
      this.#answer(route, encodeGone());
      return;
    }
    session.lastHeard = performance.now();
    if (!session.attached) session.attach(route, undefined);
    if (kind === PacketKind.ack) session.acknowledge(packet);
    else if (kind !== PacketKind.data) this.#counters.kinds++;
    else if (!session.receive(packet)) {
      // A packet is missing or beyond reading: the client says hello again and both sides compare what they have.
      this.#counters.gaps++;
      this.#forgetRoute(session);
      session.detach();
      this.#answer(route, encodeGone());
    }
  }

  #hello(route: Buffer, packet: Buffer): void {
    if (this.#routes.get(route.toString("latin1"))?.attached) {
      // A client says it once a connection: this one is a replay.
      this.#counters.repeatedHellos++;
      return;
    }
    const holder = this.#admission.holderOf(route);
    if (holder === undefined) {
      this.#counters.spoofed++;
      this.#refuse(route, "unavailable", "this connection was given no routing id: make another");
      return;
    }
    const hello = decodeHello(packet);
    if (hello === undefined || agreedVersion(hello) === undefined) {
      const theirs = hello === undefined ? "an unknown one" : `${hello.lowest} to ${hello.highest}`;
      const message = `this hub speaks version ${protocolVersion} of the protocol, the client ${theirs}: use the same release of both`;
      this.#refuse(route, "unsupported", message);
      return;
    }
    let name: string;
    try {
      name = Values.read(hello.about).string(0).slice(0, 255);
    } catch {
      this.#counters.headers++;
      return;
    }
    const known = this.#known(hello.session, holder);
    if (known === undefined && this.#sessions.size >= maxSessions) {
      this.#refuse(route, "overflow", `this hub has ${maxSessions} clients already`);
      return;
    }
    const session = known ?? this.#newSession(name, holder);
    this.#forgetRoute(session);
    session.routeKey = route.toString("latin1");
    const former = this.#routes.get(session.routeKey);
    if (former !== undefined) this.#forgetRoute(former);
    this.#routes.set(session.routeKey, session);
    session.detach();
    const welcome = {
      hub: this.#id,
      session: session.id,
      resumed: known !== undefined,
      received: session.link.received,
    };
    const about = encodeValues([heartbeatMs, maxPayloadBytes, this.#durable, process.versions.node]);
    session.attach(route, known === undefined ? undefined : hello.received);
    session.control(encodeWelcome(welcome, about));
  }

  /** The session that a hello names; none where it is another's. */
  #known(id: string | undefined, { key }: Holder): HubSession | undefined {
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (session === undefined || session.holder.key === key) return session;
    this.#counters.spoofed++;
    return undefined;
  }

  #newSession(name: string, holder: Holder): HubSession {
    const host: SessionHost = {
      engine: this.#engine.connect(name),
      blobs: this.#blobs,
      durable: this.#durable,
      wake: (session) => this.#router.wake(session),
      end: (session, reason) => this.#end(session, reason),
      describe: (session) => this.#describe(session),
      held: (_, by) => {
        const most = this.#memory.changed(by);
        if (most !== undefined) this.#end(most, "too much waits for all clients together");
      },
      counters: this.#counters,
    };
    const session = new HubSession(randomBytes(idBytes).toString("hex"), name, holder, host);
    this.#sessions.set(session.id, session);
    return session;
  }

  #refuse(route: Buffer, code: string, message: string): void {
    this.#counters.refused++;
    this.#answer(route, encodeRefuse(encodeValues([code, message])));
  }

  /** A packet to a connection without a session. */
  #answer(route: Buffer, packet: Buffer): void {
    this.#router.wake(new SinglePacket(route, packet));
  }

  // -- sessions come and go

  #end(session: HubSession, reason: string): void {
    if (session.ended) return;
    const { route } = session;
    if (reason !== "bye" && route !== undefined && reason !== "the hub closes") this.#counters.ended++;
    session.end(reason === "bye");
    this.#sessions.delete(session.id);
    this.#forgetRoute(session);
    if (route !== undefined) this.#answer(route, encodeGone());
  }

  #forgetRoute(session: HubSession): void {
    if (session.routeKey !== undefined) this.#routes.delete(session.routeKey);
    session.routeKey = undefined;
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

  /** To a client whose key is restricted: itself, and nothing of what others have. */
  #describe(asker: HubSession): Readonly<Record<string, unknown>> {
    const sessions = asker.grants === undefined ? [...this.#sessions.values()] : [asker];
    const memory = process.memoryUsage();
    const { connections, halfOpen, crowded, unknownKeys, handshakes } = this.#admission;
    return {
      hub: this.#id,
      url: this.url,
      protocol: protocolVersion,
      node: process.versions.node,
      pid: process.pid,
      upMs: Math.round(performance.now() - this.#startedAt),
      residentBytes: memory.rss,
      heapBytes: memory.heapUsed,
      bufferBytes: memory.arrayBuffers,
      durable: this.#durable,
      curve: this.#curve,
      malformed: malformed(this.#counters),
      refused: this.#counters.refused,
      dropped: this.#counters,
      connections: { now: connections, halfOpen, crowded, unknownKeys, handshakes },
      waitingBytes: this.#memory.held,
      bounds,
      clients: sessions.map((session) => session.describe()),
      ...(asker.grants === undefined ? { ...this.#engine.describe(), blobs: this.#blobs.describe() } : {}),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#ticking);
    this.#probes.close();
    for (const session of [...this.#sessions.values()]) this.#end(session, "the hub closes");
    // One turn for the goodbyes to be handed to the socket.
    await new Promise((resolve) => setImmediate(resolve));
    this.#router.close();
    this.#zap.close();
    // The journal last: its lock is that of the blobs, too.
    await this.#blobs.close();
    await this.#engine.close();
  }
}
