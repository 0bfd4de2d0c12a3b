import type { BlobTable, EngineSession } from "@quadrant/engine";
import { Link } from "../link/link.ts";
import { dataHeaderBytes, decodeAck, encodeAck, idBytes, readData } from "../wire/packet.ts";
import { eachRecord, RecordKind } from "../wire/record.ts";
import type { Holder } from "./admission.ts";
import { SessionBlobs } from "./blobs/session-blobs.ts";
import { HubCalls } from "./calls.ts";
import type { Counters } from "./counters.ts";
import { sessionBytes } from "./limits.ts";
import type { Grants } from "./permissions.ts";
import { HubRequests } from "./requests.ts";
import type { PacketSource } from "./router.ts";
import { HubTopics } from "./topics.ts";

/** What a session needs of its hub. */
export interface SessionHost {
  readonly engine: EngineSession;
  readonly blobs: BlobTable;
  /** Whether what the hub holds outlives it. */
  readonly durable: boolean;
  wake(session: HubSession): void;
  /** The session is over: "bye", or why. */
  end(session: HubSession, reason: string): void;
  describe(session: HubSession): Readonly<Record<string, unknown>>;
  /** It holds so much more, or less. */
  held(session: HubSession, by: number): void;
  readonly counters: Counters;
}

/**
 * What the hub holds for one client, over any number of connections: its link, its engine session, what it asked for and
 * has not been answered. While the client is away its waiting requests are withdrawn, so that it captures nothing, and
 * asked again when it comes back.
 */
export class HubSession implements PacketSource {
  readonly id: string;
  readonly name: string;
  readonly holder: Holder;
  readonly link: Link = new Link();
  route: Buffer | undefined;
  /** Under which the hub finds it by what it receives; kept while the connection is in doubt. */
  routeKey: string | undefined;
  lastHeard = 0;
  lastSpoke = 0;
  detachedAt = 0;
  readonly topics: HubTopics;
  readonly calls: HubCalls;
  readonly requests: HubRequests;
  readonly blobs: SessionBlobs;
  readonly engine: EngineSession;
  readonly durable: boolean;
  readonly #host: SessionHost;
  readonly #control: Buffer[] = [];
  #ended = false;
  #held = 0;
  /** Operations that its key does not permit, and those beyond a bound. */
  deniedCount = 0;
  overflowCount = 0;

  constructor(id: string, name: string, holder: Holder, host: SessionHost) {
    this.id = id;
    this.name = name;
    this.holder = holder;
    this.#host = host;
    this.engine = host.engine;
    this.durable = host.durable;
    this.topics = new HubTopics(this);
    this.calls = new HubCalls(this);
    this.requests = new HubRequests(this);
    this.blobs = new SessionBlobs(host.blobs);
  }

  get attached(): boolean {
    return this.route !== undefined;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** For `quadrant info`. */
  describe(): Readonly<Record<string, unknown>> {
    return {
      name: this.name,
      attached: this.attached,
      key: this.holder.shown,
      pendingBytes: this.#held,
      requests: this.requests.size,
      subscriptions: this.topics.size,
      servers: this.calls.serving,
      calls: this.calls.inFlight,
      uploads: this.blobs.size,
      denied: this.deniedCount,
      overflows: this.overflowCount,
    };
  }

  describeHub(): Readonly<Record<string, unknown>> {
    return this.#host.describe(this);
  }

  /** What its key permits; undefined where that is everything. */
  get grants(): Grants | undefined {
    return this.holder.grants;
  }

  denied(): void {
    this.deniedCount++;
    this.#host.counters.denied++;
  }

  overflowed(): void {
    this.overflowCount++;
    this.#host.counters.overflows++;
  }

  /** Bytes that wait for the client, or for its acknowledgement. */
  get held(): number {
    return this.#held;
  }

  #account(): void {
    const now = this.#ended ? 0 : this.link.pendingBytes + this.link.unacknowledgedBytes;
    const by = now - this.#held;
    if (by === 0) return;
    this.#held = now;
    this.#host.held(this, by);
  }

  // -- sending

  wake(): void {
    if (this.#ended) return;
    this.#account();
    if (this.link.pendingBytes > sessionBytes) this.#host.end(this, "it does not read what it asked for");
    else if (this.route !== undefined) this.#host.wake(this);
  }

  /** A packet outside the link's numbering. */
  control(packet: Buffer): void {
    this.#control.push(packet);
    this.#host.wake(this);
  }

  nextPacket(): { readonly packet: Buffer; sent(): void; failed(reason: "unreachable" | "full"): void } | undefined {
    const { route } = this;
    // It may have come back over another connection before the old one refused.
    const lost = (): void => {
      if (this.route === route) this.detach();
    };
    const control = this.#control.shift();
    if (control !== undefined) {
      return {
        packet: control,
        sent: () => {
          this.lastSpoke = performance.now();
        },
        failed: (reason) => (reason === "full" ? this.#control.unshift(control) : lost()),
      };
    }
    const batch = this.link.next();
    if (batch === undefined) return undefined;
    return {
      packet: batch.packet(),
      sent: () => {
        this.lastSpoke = performance.now();
        batch.markSent();
      },
      failed: (reason) => {
        this.link.unsend(batch);
        if (reason === "unreachable") lost();
      },
    };
  }

  // -- the connection comes and goes

  attach(route: Buffer, received: number | undefined): void {
    this.#control.length = 0;
    this.route = route;
    this.lastHeard = performance.now();
    if (received !== undefined) this.link.resume(received);
    this.calls.resume();
    this.requests.resume();
    this.wake();
  }

  detach(): void {
    if (this.route === undefined) return;
    this.route = undefined;
    this.detachedAt = performance.now();
    this.requests.suspend();
    this.calls.suspend();
  }

  /** Ends the session. After a goodbye what the client holds goes back at once; otherwise its leases run out. */
  end(goodbye: boolean): void {
    if (this.#ended) return;
    this.detach();
    this.#ended = true;
    this.requests.end();
    this.calls.end();
    this.blobs.end();
    this.#account();
    if (goodbye) this.engine.close();
    else this.engine.abandon();
  }

  // -- receiving

  /** A data packet of this session; false when the connection is beyond repair. */
  receive(packet: Buffer): boolean {
    const verdict = this.link.accept(packet);
    if (verdict === "broken") return false;
    if (verdict === "repeat") this.#host.counters.repeated++;
    if (verdict === "take") {
      const whole = eachRecord(packet, dataHeaderBytes, (kind, start, end) => this.#record(kind, packet, start, end));
      if (!whole) this.#host.counters.records++;
      this.link.taken();
    }
    this.#acknowledged(readData(packet)?.acknowledged ?? 0);
    if (this.link.owesAck && this.route !== undefined) {
      this.link.acked();
      this.control(encodeAck(this.link.received));
    }
    return true;
  }

  acknowledge(packet: Buffer): void {
    const acknowledged = decodeAck(packet);
    if (acknowledged === undefined) this.#host.counters.headers++;
    else this.#acknowledged(acknowledged);
  }

  #acknowledged(sequence: number): void {
    this.link.acknowledge(sequence);
    this.#account();
    this.topics.progress();
    if (this.link.ready) this.wake();
  }

  #record(kind: number, packet: Buffer, start: number, end: number): void {
    if (this.#ended) return;
    try {
      if (this.calls.record(kind, packet, start, end)) return;
      const body = packet.subarray(start, end);
      if (kind === RecordKind.publish) this.topics.publish(body);
      else if (kind === RecordKind.request) {
        this.requests.execute(body.readUInt32BE(0), body.readUInt8(4), body.subarray(5));
      } else if (kind === RecordKind.requestAgain) {
        const first = body.toString("hex", 5, 5 + idBytes);
        this.requests.execute(body.readUInt32BE(0), body.readUInt8(4), body.subarray(5 + idBytes), first);
      } else if (kind === RecordKind.cancel) this.requests.cancel(body.readUInt32BE(0));
      else if (kind === RecordKind.undo) this.requests.undo(body.readUInt32BE(0));
      else if (kind === RecordKind.bye) this.#host.end(this, "bye");
      else this.#host.counters.records++;
    } catch {
      // Malformed in itself: counted and dropped; what it was meant to be cannot be told.
      this.#host.counters.records++;
    }
  }
}
