/**
 * A little over 300 lines because one session over many connections is one state: what is sent, received, resumed, taken for
 * lost and ended changes it from every side.
 */
import { BusError } from "@quadrant/contract";
import { Link } from "../link/link.ts";
import type { Batch } from "../wire/batch.ts";
import { dataHeaderBytes, decodeAck, encodeAck, PacketKind, readData } from "../wire/packet.ts";
import { RecordKind, recordEnd, recordHeaderBytes } from "../wire/record.ts";
import { type HubAbout, readAbout } from "./about.ts";
import type { ConnectionEvents } from "./connection-events.ts";
import { type CurveKeys, type Dialed, dial, type Wire } from "./dialer.ts";
import { Gathering } from "./gathering.ts";

/** After so many messages for subscriptions, their consumers get a turn before more are taken in. */
const turnMessages = 256;

/**
 * The client's end of a session: keeps it over any number of connections, reconnects for ever, tells what happened.
 * Records are written through `write` and go out at once when the socket is free, otherwise together.
 */
export class Connection {
  readonly #link = new Link();
  readonly #endpoint: string;
  readonly #name: string;
  readonly #curve: CurveKeys | undefined;
  readonly #events: ConnectionEvents;
  readonly #ending = new AbortController();
  #wire: Wire | undefined;
  #hub = "";
  #session: string | undefined;
  #sending = false;
  /** To be told of each record that was written. */
  readonly gathering: Gathering = new Gathering({
    pendingBytes: () => this.#link.pendingBytes,
    send: () => this.#sendNow(),
  });
  #owesAck = false;
  /** Whether the listener takes the connection for present. */
  #announced = false;
  /** Until what a new session needs is set up: subscriptions, servers. */
  #settling: Promise<void> | undefined;
  #lastHeard = 0;
  #lastTick = 0;
  #ticking: NodeJS.Timeout | undefined;
  #gone: (() => void) | undefined;
  /** Messages since others had a turn. */
  #taken = 0;
  /** Of a packet whose records are being dealt with. */
  #taking: Promise<boolean> | undefined;
  malformed = 0;
  about: HubAbout = { heartbeatMs: 1_000, maxPayloadBytes: 0, durable: false, node: "" };

  constructor(endpoint: string, name: string, curve: CurveKeys | undefined, events: ConnectionEvents) {
    this.#endpoint = endpoint;
    this.#name = name;
    this.#curve = curve;
    this.#events = events;
  }

  get attached(): boolean {
    return this.#wire !== undefined;
  }

  /** When the last packet of the hub came; monotonic, in milliseconds. */
  get lastHeard(): number {
    return this.#lastHeard;
  }

  get closed(): boolean {
    return this.#ending.signal.aborted;
  }

  get pendingBytes(): number {
    return this.#link.pendingBytes;
  }

  /** What waits, and what the hub has not acknowledged, take so much memory. */
  get heldBytes(): number {
    return this.#link.heldBytes;
  }

  /** Rejects with "unavailable", or with the hub's refusal. */
  async open(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const giveUp = signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
    const about = { name: this.#name, session: undefined, received: 0, curve: this.#curve };
    const dialed = await dial(this.#endpoint, about, timeoutMs, giveUp);
    this.#take(dialed);
  }

  /** A batch to write a record into; tell `gathering` in the same turn. */
  write(): Batch {
    return this.#link.write();
  }

  /** See `Link.withhold`. */
  withhold(): () => void {
    return this.#link.withhold();
  }

  #sendNow(): void {
    if (!this.#sending && this.#wire !== undefined) void this.#send(this.#wire);
  }

  async #send(wire: Wire): Promise<void> {
    this.#sending = true;
    try {
      while (this.#wire === wire) {
        if (this.#owesAck && !this.#link.ready) {
          this.#owesAck = false;
          this.#link.acked();
          await wire.send(encodeAck(this.#link.received));
          continue;
        }
        const batch = this.#link.next();
        if (batch === undefined) break;
        this.#owesAck = false;
        await wire.send(batch.packet());
        batch.markSent();
        this.#events.progress();
      }
    } catch {
      this.#lose(wire);
    } finally {
      this.#sending = false;
    }
    // What was written between the last look and the end of the loop, or for a newer connection.
    if (this.#link.ready || this.#owesAck) this.#sendNow();
  }

  // -- the connection comes and goes

  #take({ wire, welcome }: Dialed): void {
    this.about = readAbout(welcome.about);
    const first = this.#session === undefined;
    const lost = { sameHub: this.#hub === welcome.hub, session: this.#session ?? "" };
    this.#hub = welcome.hub;
    this.#session = welcome.session;
    this.#lastHeard = this.#lastTick = performance.now();
    this.#wire = wire;
    if (welcome.resumed) this.#link.resume(welcome.received);
    else if (!first) {
      this.#link.restart(() => {
        this.#settling = this.#events.renewed(lost);
      });
    }
    // What a new session needs may be under way still when that session goes on over yet another connection.
    const settling = this.#settling;
    wire.onDisconnect(() => this.#lose(wire));
    void this.#receive(wire);
    clearInterval(this.#ticking);
    this.#ticking = setInterval(() => this.#tick(), this.about.heartbeatMs);
    const announce = (): void => {
      if (this.#wire !== wire) return;
      this.#announced = true;
      this.#settling = undefined;
      const detail = { hub: welcome.hub, resumed: welcome.resumed && settling === undefined };
      this.#events.status({ kind: first ? "connected" : "reconnected", at: new Date(), detail });
    };
    if (settling === undefined) announce();
    else void settling.then(announce);
    this.#sendNow();
  }

  #lose(wire: Wire): void {
    if (this.#wire !== wire) return;
    this.#wire = undefined;
    clearInterval(this.#ticking);
    wire.close();
    if (this.closed) return;
    if (this.#announced) this.#events.status({ kind: "disconnected", at: new Date() });
    this.#announced = false;
    this.#events.progress();
    void this.#redial();
  }

  async #redial(): Promise<void> {
    while (!this.closed) {
      const about = { name: this.#name, session: this.#session, received: this.#link.received, curve: this.#curve };
      try {
        const dialed = await dial(this.#endpoint, about, Number.POSITIVE_INFINITY, this.#ending.signal);
        if (this.closed) dialed.wire.close();
        else this.#take(dialed);
        return;
      } catch (error) {
        if (error instanceof BusError && error.code === "denied") {
          this.#events.status({ kind: "denied", at: new Date(), detail: { message: error.message } });
        }
        // A refusal (a full hub, another version) may pass: ask again, not in a hurry.
        if (!this.closed) await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    }
  }

  #tick(): void {
    const now = performance.now();
    const { heartbeatMs } = this.about;
    // After a stall of this process the hub's silence proves nothing: its packets are still to be read.
    const stalled = now - this.#lastTick > 2 * heartbeatMs;
    this.#lastTick = now;
    const wire = this.#wire;
    if (wire === undefined || stalled) return;
    if (now - this.#lastHeard > 3.5 * heartbeatMs) {
      this.#lose(wire);
      return;
    }
    this.#owesAck = true;
    this.#sendNow();
  }

  // -- receiving

  async #receive(wire: Wire): Promise<void> {
    try {
      while (this.#wire === wire) {
        const packet = await wire.receive();
        if (this.#wire !== wire) return;
        this.#lastHeard = performance.now();
        const kind = packet[2];
        if (kind === PacketKind.data) await this.#data(wire, packet);
        else if (kind === PacketKind.ack) this.#acknowledged(decodeAck(packet));
        else if (kind === PacketKind.gone) {
          this.#gone?.();
          this.#lose(wire);
        }
      }
    } catch {
      this.#lose(wire);
    }
  }

  #acknowledged(sequence: number | undefined): void {
    if (sequence === undefined) return;
    this.#link.acknowledge(sequence);
    if (this.#link.ready && !this.gathering.active) this.#sendNow();
  }

  async #data(wire: Wire, packet: Buffer): Promise<void> {
    // One that came over the connection before may be under way still, in the same session: what follows it waits for it.
    while (this.#taking !== undefined) await this.#taking;
    if (this.#wire !== wire) return;
    const verdict = this.#link.accept(packet);
    if (verdict === "broken") {
      this.malformed++;
      this.#lose(wire);
      return;
    }
    if (verdict === "take") {
      let whole: boolean;
      try {
        this.#taking = this.#records(packet);
        whole = await this.#taking;
      } finally {
        this.#taking = undefined;
      }
      if (!whole) return;
      this.#link.taken();
    }
    this.#acknowledged(readData(packet)?.acknowledged);
    if (this.#link.owesAck) {
      this.#owesAck = true;
      if (!this.gathering.active) this.#sendNow();
    }
  }

  /** False where its session was lost meanwhile: what is left of it, and its numbers, mean nothing to the next one. */
  async #records(packet: Buffer): Promise<boolean> {
    const session = this.#session;
    let end: number | undefined;
    for (let at = dataHeaderBytes; at < packet.length; at = end) {
      end = recordEnd(packet, at);
      if (end === undefined) {
        this.malformed++;
        break;
      }
      if (this.closed || this.#session !== session) return false;
      const kind = packet[at + 4]!;
      if (kind === RecordKind.void) continue;
      try {
        this.#events.record(kind, packet, at + recordHeaderBytes, end);
      } catch {
        this.malformed++;
      }
      if (kind === RecordKind.message && ++this.#taken >= turnMessages) {
        this.#taken = 0;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return this.#session === session;
  }

  // -- the end

  /** Says goodbye, waiting at most `limitMs` for the hub to have heard it, and ends. */
  async close(limitMs: number): Promise<void> {
    if (this.closed) return;
    if (this.#wire !== undefined && limitMs > 0) {
      const heard = new Promise<void>((resolve) => {
        this.#gone = resolve;
      });
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, limitMs);
      });
      this.#link.write().begin(RecordKind.bye).end();
      this.#ending.abort();
      this.#sendNow();
      await Promise.race([heard, late]);
      clearTimeout(timer);
    }
    this.#ending.abort();
    clearInterval(this.#ticking);
    const wire = this.#wire;
    this.#wire = undefined;
    wire?.close();
    this.#events.status({ kind: "closed", at: new Date() });
  }
}
