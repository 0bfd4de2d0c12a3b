import { setTimeout as delay } from "node:timers/promises";
import { BusError, type BusStatus } from "@quadrant/contract";
import type { Location } from "../location.ts";
import { type Reply, ReplyError } from "../resp/reply-reader.ts";
import { openSession, type Session, type SessionTerms, type Zombie } from "./session.ts";
import type { Wire } from "./wire.ts";

const heartbeatMs = 1_000;
/** A server that has said nothing for so long, though it was asked, is lost. */
const silenceMs = 3_000;
/** A tick that comes so late tells of a process that was busy itself. */
const lateMs = 500;
const firstPauseMs = 20;
const longestPauseMs = 500;
const attemptMs = 3_000;

export interface LinkEvents {
  /** Connected anew: write what has to be set up again. Resolves once all is set up. */
  restore(push: Wire): Promise<void>;
  /** What waits can be written. `repeatable`: what was written before and not answered can be no longer under way. */
  ready(repeatable: boolean): void;
  /** The session is lost. */
  lost(): void;
  message(message: Reply[]): void;
  status(status: BusStatus): void;
}

/** The way to the server: one session at a time, begun anew for ever; what happens is told once. */
export class Link {
  readonly #terms: SessionTerms;
  readonly #events: LinkEvents;
  readonly #ending = new AbortController();
  #session: Session | undefined;
  #last: Session | undefined;
  #ready = false;
  #ticking: NodeJS.Timeout | undefined;
  #lastTick = 0;
  #announced = false;
  reconnects = 0;

  constructor(terms: SessionTerms, events: LinkEvents) {
    this.#terms = terms;
    this.#events = events;
  }

  get location(): Location {
    return this.#terms.location;
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get closed(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Set up, and everything can be written. */
  get ready(): boolean {
    return this.#ready;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** Of the last server there was. */
  get about(): Session["about"] {
    return (this.#session ?? this.#last)!.about;
  }

  /** When the server last said something; monotonic, in milliseconds. */
  get lastHeard(): number {
    return Math.max(0, ...(this.#session?.wires ?? []).map((wire) => wire.lastHeard));
  }

  get pendingBytes(): number {
    return this.#session?.pendingBytes ?? 0;
  }

  /** Rejects with "unavailable", or with what the server refuses. */
  async open(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const giveUp = signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal]);
    const session = await this.#dial(performance.now() + timeoutMs, giveUp, true);
    await this.#take(session);
  }

  async #dial(end: number, signal: AbortSignal, first: boolean): Promise<Session> {
    let last: unknown;
    for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
      const left = Math.min(attemptMs, end - performance.now());
      if (left <= 0 || signal.aborted) {
        throw last instanceof BusError ? last : new BusError("unavailable", "no answer", { driver: "redis" });
      }
      try {
        return await openSession(this.#terms, left, signal, this.#known());
      } catch (error) {
        if (first && error instanceof BusError && error.code !== "unavailable") throw error;
        // An attempt that was cut short by the end knows less than the one before.
        if (last === undefined || performance.now() < end) last = error;
      }
      await delay(Math.min(pause, Math.max(1, end - performance.now())), undefined, { signal }).catch(() => undefined);
    }
  }

  #known() {
    if (this.#last === undefined || this.location.kind !== "cluster") return [];
    return [...new Set(this.#last.wires.map((wire) => wire.server))].map((name) => {
      const at = name.lastIndexOf(":");
      return { host: name.slice(0, at), port: Number(name.slice(at + 1)) };
    });
  }

  async #take(session: Session): Promise<void> {
    const before = this.#last;
    this.#session = session;
    this.#last = session;
    session.onLost(() => this.#lose(session));
    session.push.onMessage((message) => this.#events.message(message));
    clearInterval(this.#ticking);
    this.#lastTick = performance.now();
    this.#ticking = setInterval(() => this.#tick(session), heartbeatMs);
    const repeatable = before === undefined || (await this.#buried(session, before));
    if (this.#session !== session) return;
    await this.#events.restore(session.push);
    if (this.#session !== session) return;
    this.#ready = true;
    const kind = before === undefined ? "connected" : "reconnected";
    if (before !== undefined) this.reconnects++;
    this.#announced = true;
    const detail = { server: session.push.server, version: session.about.version };
    this.#events.ready(repeatable);
    this.#events.status({ kind, at: new Date(), detail });
  }

  /**
   * Ends the connections of before, where the server still has them: what was written there and not yet read is not
   * executed any more. Whether that is sure.
   */
  async #buried(session: Session, before: Session): Promise<boolean> {
    const kill = async ({ server, runId, id }: Zombie): Promise<boolean> => {
      // Another process, or the same begun anew: it has read nothing of what was sent to the one before.
      if (runId !== session.runIdOf(server)) return true;
      const wire = session.wires.find((each) => each !== session.push && each.server === server);
      // A node that is no master any more takes no writes.
      if (wire === undefined) return true;
      if (id === 0 || runId === "") return false;
      try {
        await wire.ask(["CLIENT", "KILL", "ID", id]);
        return true;
      } catch (error) {
        return error instanceof ReplyError && error.message.includes("No such client");
      }
    };
    return (await Promise.all(before.zombies.map(kill))).every((gone) => gone);
  }

  #lose(session: Session): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#ready = false;
    clearInterval(this.#ticking);
    if (this.closed) return;
    this.#events.lost();
    if (this.#announced) this.#events.status({ kind: "disconnected", at: new Date() });
    this.#announced = false;
    void this.#again();
  }

  async #again(): Promise<void> {
    try {
      await this.#take(await this.#dial(Number.POSITIVE_INFINITY, this.#ending.signal, false));
    } catch {
      // A session that was lost while it was set up begins anew by itself; one that was given up is closed.
    }
  }

  #tick(session: Session): void {
    const now = performance.now();
    const late = now - this.#lastTick > heartbeatMs + lateMs;
    this.#lastTick = now;
    for (const wire of session.wires) {
      if (wire.waiting > 0) {
        if (!late && now - wire.lastHeard > silenceMs) {
          session.close();
          return;
        }
      } else {
        if (now - wire.lastHeard < heartbeatMs / 2) continue;
        wire.lastHeard = now;
        wire.ask(["PING"]).catch(() => undefined);
      }
    }
  }

  /** Resolves once all that was written has been answered, by each node of a cluster. Never rejects. */
  async answered(): Promise<void> {
    const wires = this.#ready ? (this.#session?.wires ?? []) : [];
    await Promise.allSettled(wires.map((wire) => wire.ask(["PING"])));
  }

  /** Gives up this session: the server says that it is not what it was. */
  renew(): void {
    this.#session?.close();
  }

  async close(ms: number): Promise<void> {
    if (this.closed) return;
    this.#ending.abort();
    clearInterval(this.#ticking);
    this.#ready = false;
    const session = this.#session;
    if (session === undefined) return;
    if (ms > 0) await session.end(ms);
    else session.close();
  }
}
