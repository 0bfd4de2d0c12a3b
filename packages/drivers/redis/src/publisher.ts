import { BusError, type BusStatus, type Envelope, type Outlet } from "@quadrant/contract";
import { Gathering } from "./link/gathering.ts";
import type { Link } from "./link/link.ts";
import { controlKey } from "./link/session.ts";
import { PacketWriter } from "./pack/packets.ts";
import type { Requests } from "./requests.ts";
import type { Argument } from "./resp/command-writer.ts";
import { listOf } from "./resp/reply-reader.ts";
import { publishPackets } from "./scripts/topics.ts";

/** A packet is full with so many messages, or bytes. */
const packetMessages = 128;
const packetBytes = 32_768;
/** What may be on its way unanswered; beyond it, packets wait here: what is on its way is in the socket's memory, too. */
const windowBytes = 4 * 1024 * 1024;
/** What is gathered leaves before its turn ends once it is so much. */
const gatheredBytes = 65_536;
/** Subjects whose numbers, or whose denial, are remembered. */
const maxSubjects = 65_536;
const maxDenied = 4_096;

/** A command to come: who publishes, its number, and of each packet the subject, how many messages it has, itself. */
interface Batch {
  readonly values: readonly Argument[];
  readonly bytes: number;
}

export interface PublisherEvents {
  /** Some of what was published has reached the server. */
  progress(): void;
  status(status: BusStatus): void;
}

/**
 * Packs what is published and sends it: what one turn publishes leaves together, a lone message at once. What was sent and
 * not answered when the connection was lost is sent again, in order; who has had it knows it by its number.
 */
export class Publisher implements Outlet {
  readonly driver = "redis" as const;
  readonly broker = "the server";
  readonly #requests: Requests;
  readonly #link: Link;
  readonly #events: PublisherEvents;
  readonly #packets = new PacketWriter();
  #id: string;
  #epoch = 0;
  /** The last number on each subject. */
  #numbers = new Map<string, number>();
  /** Subjects that groups share: there each message is a packet of its own. */
  readonly #shared = new Set<string>();
  readonly #denied = new Set<string>();
  #subject = "";
  #batch: Argument[] = [];
  /** What waits for the window. */
  #ready: Batch[] = [];
  #onWayBytes = 0;
  #batches = 0;
  #batchBytes = 0;
  readonly #gathering = new Gathering(() => this.#send());
  #inFlight = 0;
  /** What is packed and not yet answered for. */
  pendingBytes = 0;
  #idle: (() => void)[] = [];

  constructor(requests: Requests, link: Link, events: PublisherEvents) {
    this.#requests = requests;
    this.#link = link;
    this.#events = events;
    this.#id = `${requests.client}/0`;
  }

  /** In memory: what is on its way twice. */
  get heldBytes(): number {
    return this.pendingBytes + this.#onWayBytes;
  }

  get attached(): boolean {
    return this.#link.ready;
  }

  get closed(): boolean {
    return this.#link.closed;
  }

  refusal(subject: string): BusError | undefined {
    if (this.#denied.size === 0 || !this.#denied.has(subject)) return undefined;
    const message = `this user may not publish ${subject}: let the server's operator add its channel to the user's ACL`;
    return new BusError("denied", message, { driver: "redis" });
  }

  /** Another server may permit what the last did not. */
  renew(): void {
    this.#denied.clear();
  }

  write(envelope: Envelope, bytes: number): void {
    const { subject } = envelope;
    const number = (this.#numbers.get(subject) ?? 0) + 1;
    const packets = this.#packets;
    if (subject !== this.#subject || packets.count >= packetMessages || packets.size >= packetBytes) this.#endPacket();
    if (packets.count === 0) {
      this.#subject = subject;
      packets.begin(this.#id, number);
    }
    packets.add(envelope);
    this.#numbers.set(subject, number);
    this.pendingBytes += bytes;
    this.#batchBytes += bytes;
    if (this.#shared.size > 0 && this.#shared.has(subject)) this.#endPacket();
    if (this.#numbers.size > maxSubjects) this.#renumber();
    this.#gathering.add(this.#batchBytes >= gatheredBytes);
  }

  /** Too many subjects to remember: from now on another publisher. */
  #renumber(): void {
    this.#endPacket();
    this.#numbers = new Map();
    this.#shared.clear();
    this.#id = `${this.#requests.client}/${++this.#epoch}`;
  }

  #endPacket(): void {
    const { count } = this.#packets;
    if (count === 0) return;
    this.#batch.push(this.#subject, count, this.#packets.take());
    this.#packets.count = 0;
    this.#subject = "";
  }

  #send(): void {
    this.#endPacket();
    const batch = this.#batch;
    if (batch.length === 0) return;
    const bytes = this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#inFlight++;
    this.#ready.push({ values: [this.#id, ++this.#batches, ...batch], bytes });
    this.#pump();
  }

  #pump(): void {
    let sent = 0;
    while (sent < this.#ready.length && this.#onWayBytes < windowBytes) this.#ask(this.#ready[sent++]!);
    if (sent > 0) this.#ready = this.#ready.slice(sent);
  }

  #ask({ values, bytes }: Batch): void {
    this.#onWayBytes += bytes;
    // Not "writes": it may be repeated, whoever has had it knows.
    const terms = { what: "publish", writes: false, untimed: true };
    this.#requests.run(publishPackets, controlKey, values, terms).then(
      (reply) => {
        for (const [index, outcome] of listOf(reply).entries()) {
          if (outcome !== 0) this.#outcome(values[2 + index * 3] as string, outcome as number);
        }
        this.#answered(bytes);
      },
      (error: unknown) => {
        if (error instanceof BusError && error.code === "denied") {
          for (let at = 2; at < values.length; at += 3) this.#outcome(values[at] as string, -1);
        } else if (!(error instanceof BusError && error.code === "closed")) {
          const detail = { operation: "publish", reason: String(error) };
          this.#events.status({ kind: "gap", at: new Date(), detail });
        }
        this.#answered(bytes);
      },
    );
  }

  #outcome(subject: string, outcome: number): void {
    if (outcome > 0) {
      if (this.#shared.size >= maxSubjects) this.#shared.clear();
      this.#shared.add(subject);
      return;
    }
    if (this.#denied.has(subject)) return;
    if (this.#denied.size >= maxDenied) this.#denied.clear();
    this.#denied.add(subject);
    this.#events.status({ kind: "denied", at: new Date(), detail: { operation: "publish", subject } });
  }

  #answered(bytes: number): void {
    this.pendingBytes -= bytes;
    this.#onWayBytes -= bytes;
    this.#inFlight--;
    this.#pump();
    if (this.#inFlight === 0) for (const idle of this.#idle.splice(0)) idle();
    this.#events.progress();
  }

  /** Once all that was written so far is answered for; undefined where it is. */
  settled(): Promise<void> | undefined {
    this.#send();
    if (this.#inFlight === 0) return undefined;
    return new Promise((resolve) => this.#idle.push(resolve));
  }
}
