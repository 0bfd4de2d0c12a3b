import type { NatsConnection } from "../connection.ts";
import { isJetStreamError } from "../failure.ts";
import { EncodedHeaders, headerLine } from "../wire-headers.ts";
import { announceMs, leaseMs, seatConfig, seatMs, seatStream, seatSubject } from "./layout.ts";

const wrongLastSequence = 10_071;
const noMessage = 10_037;
const noStream = 10_059;
const nameInUse = 10_058;
const pollMs = 150;

interface SeatRecord {
  /** The revision with which this owner took the seat; 0 while it is doing so. */
  readonly epoch: number;
  readonly instance: string;
  /** It left: anybody may take it at once. */
  readonly free: boolean;
}

/** The seat as it was seen. */
export interface Sight extends SeatRecord {
  /** 0: nobody has ever had it. */
  readonly revision: number;
}

const never: Sight = { epoch: 0, instance: "", free: true, revision: 0 };

/** The one key by which an owner is elected: who changes it from the revision that it has seen has the seat. */
export class Seat {
  readonly #connection: NatsConnection;
  readonly #instance: string;
  #revision = 0;
  #epoch = 0;
  /** Of performance.now(). */
  #trustedUntil = 0;
  #renewedAt = 0;
  readonly #forget: () => void;

  constructor(connection: NatsConnection, instance: string) {
    this.#connection = connection;
    this.#instance = instance;
    // While it was away somebody may have concluded that it is gone.
    this.#forget = connection.onLost(() => {
      this.#trustedUntil = 0;
    });
  }

  get epoch(): number {
    return this.#epoch;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Nobody else has taken the seat before now. */
  get trusted(): boolean {
    return performance.now() < this.#trustedUntil;
  }

  /** When it was renewed last, of performance.now(). */
  get renewedAt(): number {
    return this.#renewedAt;
  }

  async ensure(replicas: number): Promise<void> {
    try {
      await this.#connection.api("elect an owner of the tuple spaces", `STREAM.INFO.${seatStream}`);
    } catch (error) {
      if (!isJetStreamError(error, noStream)) throw error;
      try {
        const config = seatConfig(replicas);
        await this.#connection.api("elect an owner of the tuple spaces", `STREAM.CREATE.${seatStream}`, config);
      } catch (cause) {
        if (!isJetStreamError(cause, nameInUse)) throw cause;
      }
    }
  }

  async look(): Promise<Sight> {
    try {
      const { message } = await this.#connection.api<{ readonly message: { readonly seq: number; data?: string } }>(
        "look at the seat of the owner",
        `STREAM.MSG.GET.${seatStream}`,
        { last_by_subj: seatSubject },
      );
      const record = JSON.parse(Buffer.from(message.data ?? "", "base64").toString("utf8")) as Partial<SeatRecord>;
      const { epoch = 0, instance = "", free = false } = record;
      return { epoch, instance, free, revision: message.seq };
    } catch (error) {
      if (isJetStreamError(error, noMessage, noStream)) return never;
      throw error;
    }
  }

  /**
   * Waits until the seat is free, or its owner does not renew it, and takes it; false where somebody else has it. `seen`: the
   * revision at which it stood so many milliseconds ago, as far as that is known. `gone` tells that the owner's connection
   * to the server has ended: then it has to renew the seat before it answers anybody, so that nobody need wait.
   */
  async take(
    seen: { readonly revision: number; readonly agoMs: number } | undefined,
    gone: () => Promise<boolean>,
    standby: boolean,
  ): Promise<boolean> {
    let sight = await this.look();
    let since = performance.now() - (seen?.revision === sight.revision ? seen.agoMs : 0);
    let misses = 0;
    for (;;) {
      if (sight.free || performance.now() - since >= seatMs || misses >= 3) {
        if (await this.#change(sight.revision, 0)) {
          this.#epoch = this.#revision;
          return true;
        }
        if (!standby) return false;
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      misses = (await gone()) ? misses + 1 : 0;
      const now = await this.look();
      if (now.revision === sight.revision) continue;
      if (!standby && !now.free) return false;
      sight = now;
      since = performance.now();
      misses = 0;
    }
  }

  /** false: somebody else has it. Rejects where the server does not answer. */
  async renew(): Promise<boolean> {
    return await this.#change(this.#revision, this.#epoch);
  }

  async leave(): Promise<void> {
    this.#trustedUntil = 0;
    await this.#write(this.#revision, { epoch: this.#epoch, instance: this.#instance, free: true }, announceMs);
  }

  close(): void {
    this.#trustedUntil = 0;
    this.#forget();
  }

  async #change(revision: number, epoch: number): Promise<boolean> {
    const asked = performance.now();
    const written = await this.#write(revision, { epoch, instance: this.#instance, free: false }, seatMs);
    if (!written) {
      // The acknowledgement of an earlier try may have been lost: then it is this one's all the same.
      const sight = await this.look();
      if (sight.instance !== this.#instance || sight.free || sight.epoch !== epoch) return false;
      this.#revision = sight.revision;
      return true;
    }
    this.#renewedAt = asked;
    if (this.#connection.connected) this.#trustedUntil = asked + leaseMs;
    return true;
  }

  async #write(revision: number, record: SeatRecord, timeoutMs: number): Promise<boolean> {
    const headers = new EncodedHeaders(
      Buffer.from(`NATS/1.0\r\n${headerLine("Nats-Expected-Last-Subject-Sequence", revision)}\r\n`),
    );
    const body = Buffer.from(JSON.stringify(record));
    const message = await this.#connection.request("take the seat of the owner", seatSubject, body, {
      headers,
      timeoutMs,
      repeatable: false,
      writes: true,
    });
    const answer = JSON.parse(Buffer.from(message.data).toString("utf8") || "{}") as {
      readonly seq?: number;
      readonly error?: { readonly err_code?: number; readonly description?: string };
    };
    if (answer.error?.err_code === wrongLastSequence) return false;
    if (answer.seq === undefined || answer.error !== undefined)
      throw new Error(`the seat cannot be written: ${answer.error?.description ?? "no stream answers"}`);
    this.#revision = answer.seq;
    return true;
  }
}
