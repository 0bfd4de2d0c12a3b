import type { EngineSession } from "@quadrant/engine";
import { Link } from "../link/link.ts";
import { dataHeaderBytes, decodeAck, encodeAck, readData } from "../wire/packet.ts";
import { eachRecord, RecordKind } from "../wire/record.ts";
import { HubCalls } from "./calls.ts";
import { sessionBytes } from "./limits.ts";
import { HubRequests } from "./requests.ts";
import type { PacketSource } from "./router.ts";
import { HubTopics } from "./topics.ts";

/** What a session needs of its hub. */
export interface SessionHost {
  readonly engine: EngineSession;
  wake(session: HubSession): void;
  /** The session is over: "bye", or why. */
  end(session: HubSession, reason: string): void;
  describe(): Readonly<Record<string, unknown>>;
  malformed(): void;
}

/**
 * What the hub holds for one client, over any number of connections: its link, its engine session, what it asked for and
 * has not been answered. While the client is away its waiting requests are withdrawn, so that it captures nothing, and
 * asked again when it comes back.
 */
export class HubSession implements PacketSource {
  readonly id: string;
  readonly name: string;
  readonly link: Link = new Link();
  route: Buffer | undefined;
  lastHeard = 0;
  lastSpoke = 0;
  detachedAt = 0;
  readonly topics: HubTopics;
  readonly calls: HubCalls;
  readonly requests: HubRequests;
  readonly engine: EngineSession;
  readonly #host: SessionHost;
  readonly #control: Buffer[] = [];
  #ended = false;

  constructor(id: string, name: string, host: SessionHost) {
    this.id = id;
    this.name = name;
    this.#host = host;
    this.engine = host.engine;
    this.topics = new HubTopics(this);
    this.calls = new HubCalls(this);
    this.requests = new HubRequests(this);
  }

  get attached(): boolean {
    return this.route !== undefined;
  }

  get ended(): boolean {
    return this.#ended;
  }

  describeHub(): Readonly<Record<string, unknown>> {
    return this.#host.describe();
  }

  // -- sending

  wake(): void {
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
    if (goodbye) this.engine.close();
    else this.engine.abandon();
  }

  // -- receiving

  /** A data packet of this session; false when the connection is beyond repair. */
  receive(packet: Buffer): boolean {
    const verdict = this.link.accept(packet);
    if (verdict === "broken") return false;
    if (verdict === "take") {
      const whole = eachRecord(packet, dataHeaderBytes, (kind, body) => this.#record(kind, body));
      if (!whole) this.#host.malformed();
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
    if (acknowledged === undefined) this.#host.malformed();
    else this.#acknowledged(acknowledged);
  }

  #acknowledged(sequence: number): void {
    this.link.acknowledge(sequence);
    this.topics.progress();
    if (this.link.ready) this.wake();
  }

  #record(kind: number, body: Buffer): void {
    if (this.#ended) return;
    try {
      if (kind === RecordKind.publish) this.topics.publish(body);
      else if (kind === RecordKind.request) {
        this.requests.execute(body.readUInt32BE(0), body.readUInt8(4), body.subarray(5));
      } else if (kind === RecordKind.cancel) this.requests.cancel(body.readUInt32BE(0));
      else if (kind === RecordKind.undo) this.requests.undo(body.readUInt32BE(0));
      else if (kind === RecordKind.bye) this.#host.end(this, "bye");
      else if (!this.calls.record(kind, body)) this.#host.malformed();
    } catch {
      // Malformed in itself: counted and dropped; what it was meant to be cannot be told.
      this.#host.malformed();
    }
  }
}
