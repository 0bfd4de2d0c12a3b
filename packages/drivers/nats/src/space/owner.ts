/** A little over 300 lines because it is one seat, from taking it to leaving it, in one place. */
import { createInbox } from "@nats-io/transport-node";
import { Engine } from "@quadrant/engine";
import type { NatsConnection, RawSubscription } from "../connection.ts";
import type { Incoming } from "../incoming.ts";
import { readHeaders } from "../wire-headers.ts";
import { type Announcement, announce, readAnnouncement } from "./announcement.ts";
import { ByteReader } from "./bytes.ts";
import { Assembly, cut } from "./frame.ts";
import { announceMs, askSubject, leaseMs, ownerSubject, whoSubject } from "./layout.ts";
import { type OwnerHost, OwnerSession } from "./owner-session.ts";
import type { Seat } from "./seat.ts";
import { StreamJournal } from "./stream-journal.ts";

/** A client that has been silent for so long is asked whether it is there; not there for as long again, it has gone. */
const silentMs = 20_000;
const maxFrameBytes = 256 * 1024 * 1024;
/** What came while the seat was not trusted; beyond it clients are told to ask again. */
const maxHeldBytes = 64 * 1024 * 1024;
/** An owner that cannot renew its seat for so long, though it is connected, leaves. */
const hopelessMs = 10_000;
const maxSessions = 100_000;

interface Client {
  readonly session: OwnerSession;
  readonly assembly: Assembly;
  /** Its inbox has nobody listening since then. */
  awaySince: number | undefined;
}

/** Has the seat, and serves all tuple spaces with an engine whose journal is the stream, until it is deposed or closed. */
export class Owner {
  readonly #connection: NatsConnection;
  readonly #seat: Seat;
  readonly #journal: StreamJournal;
  readonly #engine: Engine;
  readonly #clients = new Map<string, Client>();
  readonly #byNumber = new Map<number, Client>();
  readonly #woken = new Set<OwnerSession>();
  readonly #inbox = createInbox();
  readonly #subscriptions: { close(): void }[] = [];
  #asks: RawSubscription | undefined;
  readonly #ended: () => void;
  readonly #host: OwnerHost;
  #held: { readonly reply: string; readonly data: Uint8Array }[] = [];
  #heldBytes = 0;
  #renewing = false;
  #timer: NodeJS.Timeout | undefined;
  #incarnation = 1;
  #nextNumber = 1;
  #flushing = false;
  #over = false;
  #forgetBack: () => void = () => undefined;

  private constructor(
    connection: NatsConnection,
    seat: Seat,
    journal: StreamJournal,
    engine: Engine,
    ended: () => void,
  ) {
    this.#connection = connection;
    this.#seat = seat;
    this.#journal = journal;
    this.#engine = engine;
    this.#ended = ended;
    this.#host = {
      epoch: seat.epoch,
      send: (session, frame, number) => this.#send(session, frame, number),
      wake: (session) => this.#wake(session),
      end: (session, goodbye) => this.#end(session, goodbye),
    };
  }

  /** `ended` is called once when it is no longer the owner. The seat is renewed meanwhile. Rejects with Deposed. */
  static async begin(connection: NatsConnection, seat: Seat, replicas: number, ended: () => void): Promise<Owner> {
    const renewals = setInterval(() => {
      seat.renew().catch(() => undefined);
      announce(connection, { v: 1, epoch: seat.epoch, connection: 0, revision: seat.revision, ready: false });
    }, announceMs);
    try {
      const journal = await StreamJournal.open(connection, seat.epoch, replicas);
      const engine = await Engine.recover(journal, { driver: "nats", commitTimeoutMs: 86_400_000 });
      const owner = new Owner(connection, seat, journal, engine, ended);
      owner.#serve();
      return owner;
    } finally {
      clearInterval(renewals);
    }
  }

  #serve(): void {
    const { epoch } = this.#seat;
    this.#asks = this.#connection.subscribe(askSubject(epoch), undefined, (message) => this.#asked(message));
    this.#subscriptions.push(
      this.#asks,
      this.#connection.subscribe(whoSubject, undefined, (message) => this.#who(message)),
      this.#connection.subscribe(ownerSubject, undefined, (message) => this.#heardOwner(message)),
      this.#connection.subscribe(`${this.#inbox}.*.*`, undefined, (message) => this.#unheard(message)),
    );
    this.#forgetBack = this.#connection.onBack(() => {
      this.#incarnation++;
      void this.#renew();
    });
    // Nobody is to hear from this one that something failed which the next one knows.
    this.#journal.failed = () => this.#stepDown();
    this.#timer = setInterval(() => this.#tick(), announceMs);
    void this.#renew();
  }

  describe(): Readonly<Record<string, unknown>> {
    return {
      epoch: this.#seat.epoch,
      sessions: this.#clients.size,
      log: this.#journal.describe(),
      ...this.#engine.describe(),
    };
  }

  #tick(): void {
    void this.#renew();
    const now = performance.now();
    for (const client of this.#clients.values()) {
      if (client.awaySince !== undefined && now - client.awaySince > silentMs) this.#end(client.session, false);
      else if (now - client.session.lastSeen > silentMs) {
        client.session.lastSeen = now;
        client.session.ping();
      }
    }
  }

  async #renew(): Promise<void> {
    if (this.#renewing || this.#over) return;
    this.#renewing = true;
    const asked = performance.now();
    try {
      if (!(await this.#seat.renew())) this.#stepDown();
    } catch {
      if (this.#connection.connected && asked - this.#seat.renewedAt > hopelessMs) this.#stepDown();
    } finally {
      this.#renewing = false;
    }
    this.#release();
    if (this.#seat.trusted && !this.#over) announce(this.#connection, this.#announcement());
  }

  #announcement(): Announcement {
    const { epoch, revision } = this.#seat;
    return { v: 1, epoch, connection: this.#incarnation, revision, ready: true };
  }

  #who(message: Incoming): void {
    if (message.reply === "" || !this.#seat.trusted || !this.#connection.connected) return;
    this.#connection.publish(message.reply, Buffer.from(JSON.stringify(this.#announcement())));
  }

  #heardOwner(message: Incoming): void {
    const told = readAnnouncement(message.data);
    if (told !== undefined && told.epoch > this.#seat.epoch) this.#stepDown();
  }

  #asked(message: Incoming): void {
    const { reply, data } = message;
    if (reply === "" || this.#over) return;
    if (this.#seat.trusted && this.#held.length === 0) {
      this.#take(inboxOf(reply), data);
      return;
    }
    this.#heldBytes += data.length;
    if (this.#heldBytes > maxHeldBytes) {
      this.#held = [];
      this.#heldBytes = 0;
      this.#incarnation++;
      return;
    }
    this.#held.push({ reply, data });
    void this.#renew();
  }

  /** What came while the seat was not trusted. */
  #release(): void {
    if (this.#held.length === 0 || this.#over || !this.#seat.trusted) return;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const { reply, data } of held) this.#take(inboxOf(reply), data);
  }

  #take(inbox: string, data: Uint8Array): void {
    let client = this.#clients.get(inbox);
    if (client === undefined) {
      if (this.#clients.size >= maxSessions) return;
      const number = this.#nextNumber++;
      const session = new OwnerSession(inbox, number, this.#host, this.#engine.connect(inbox));
      client = { session, assembly: new Assembly(maxFrameBytes), awaySince: undefined };
      this.#clients.set(inbox, client);
      this.#byNumber.set(number, client);
    }
    client.awaySince = undefined;
    const frame = client.assembly.add(data);
    if (frame === undefined) return;
    try {
      client.session.frame(new ByteReader(frame));
    } catch {
      // What it says makes no sense: it is no client of ours.
      this.#end(client.session, false);
    }
  }

  #wake(session: OwnerSession): void {
    this.#woken.add(session);
    if (this.#flushing) return;
    this.#flushing = true;
    // After all that is answered in this turn.
    queueMicrotask(() => process.nextTick(() => this.#flush()));
  }

  #flush(): void {
    this.#flushing = false;
    const woken = [...this.#woken];
    this.#woken.clear();
    for (const session of woken) session.flush();
  }

  /** With a reply subject the server says where nobody is there to get it. */
  #send(session: OwnerSession, frame: Buffer, number: number): void {
    // What is lost with the connection, or the seat, is asked for again.
    if (!this.#connection.connected || this.#over) return;
    const reply = `${this.#inbox}.${session.number}.${number}`;
    for (const part of cut(frame, this.#connection.maxPayloadBytes))
      this.#connection.publish(`${session.client}.0`, part, reply);
  }

  #unheard(message: Incoming): void {
    if (readHeaders(message.headers).status !== 503) return;
    const [session, frame] = message.subject.slice(this.#inbox.length + 1).split(".");
    const client = this.#byNumber.get(Number(session));
    if (client === undefined || client.session.ended) return;
    const isFirst = client.awaySince === undefined;
    client.awaySince ??= performance.now();
    if (isFirst) client.session.suspend(Number(frame));
  }

  #end(session: OwnerSession, goodbye: boolean): void {
    this.#clients.delete(session.client);
    this.#byNumber.delete(session.number);
    session.end(goodbye);
  }

  /** Deposed: nobody is told anything any more; clients ask the next one. */
  #stepDown(): void {
    if (this.#over) return;
    this.#stop();
    this.#ended();
  }

  #stop(): void {
    this.#over = true;
    clearInterval(this.#timer);
    this.#forgetBack();
    this.#seat.close();
    for (const subscription of this.#subscriptions.splice(0)) subscription.close();
  }

  /** Leaves: what was asked is answered, then the seat is free. What clients hold they hold at the next owner. */
  async close(): Promise<void> {
    // What the server has sent it already is answered; what comes later is told that nobody listens.
    if (!this.#over) await Promise.race([this.#asks?.drain(), pause(announceMs)]);
    if (!this.#over) {
      for (const subscription of this.#subscriptions.splice(0)) subscription.close();
      const kept = this.#engine.connect().tuples.cancel("-", "-");
      await Promise.race([kept, pause(leaseMs)]).catch(() => undefined);
      this.#flush();
      await this.#connection.sync("leave", leaseMs).catch(() => undefined);
      this.#stop();
      await this.#seat.leave().catch(() => undefined);
    }
    await this.#journal.close();
    this.#clients.clear();
  }
}

/** Of the client whose frame has this reply subject. */
function inboxOf(reply: string): string {
  return reply.slice(0, reply.lastIndexOf("."));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
