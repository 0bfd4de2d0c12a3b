import type { BusError } from "@quadrant/contract";
import type { NatsConnection } from "../connection.ts";
import { failed } from "../failure.ts";
import type { Incoming } from "../incoming.ts";
import { readHeaders } from "../wire-headers.ts";
import { type Announcement, readAnnouncement } from "./announcement.ts";
import type { Candidate } from "./candidate.ts";
import { announceMs, asksAnOwner, ownerSubject, whoSubject } from "./layout.ts";

/** Whether this client's process may become the owner; "prefer" keeps a thread ready for it. */
export type OwnerPolicy = "never" | "allow" | "prefer";

/** `?owner=never|allow|prefer` of the URL; allow unless told. Throws "invalid". */
export function ownerPolicyOf(url: URL): OwnerPolicy {
  const policy = url.searchParams.get("owner") ?? "allow";
  if (policy !== "never" && policy !== "allow" && policy !== "prefer")
    throw failed("invalid", `owner=${policy}: give never, allow or prefer`);
  return policy;
}

/** An owner that says nothing for so long may be gone. */
const silentMs = 1_000;
const probeMs = 300;
/** A server that said so long ago that there is no owner still counts as one that answers. */
const expectingMs = 900;

/** Follows who owns the spaces; where nobody does, and this process may, it stands for the seat. */
export class OwnerWatch {
  readonly #connection: NatsConnection;
  readonly #candidate: Candidate | undefined;
  readonly #policy: OwnerPolicy;
  readonly #changed: (owner: Announcement) => void;
  readonly #forgets: (() => void)[];
  readonly #subscription: { close(): void };
  readonly #timer: NodeJS.Timeout;
  #owner: Announcement | undefined;
  #revision = 0;
  #revisionAt = 0;
  #heardAt = performance.now();
  /** When the server last said that there is none. */
  #absentAt = Number.NEGATIVE_INFINITY;
  #probing = false;
  #closed = false;
  /** Set where the server does not permit to ask an owner. */
  denied: BusError | undefined;

  constructor(
    connection: NatsConnection,
    candidate: Candidate | undefined,
    policy: OwnerPolicy,
    changed: (owner: Announcement) => void,
  ) {
    this.#connection = connection;
    this.#candidate = candidate;
    this.#policy = policy;
    this.#changed = changed;
    this.#subscription = connection.subscribe(ownerSubject, undefined, (message) => this.#told(message));
    this.#forgets = [
      connection.onBack(() => {
        this.#heardAt = performance.now();
        // Another server may permit what the last did not.
        this.denied = undefined;
        void this.#probe();
      }),
      connection.onDenied((operation, subject) => {
        if (operation !== "publish" || !asksAnOwner(subject)) return;
        this.denied = failed("denied", `tuple spaces: the server does not permit publishing to ${subject}`);
      }),
    ];
    this.#timer = setInterval(() => this.#tick(), announceMs);
    this.#timer.unref();
    void this.#probe();
    if (policy === "prefer") candidate?.stand(undefined, true);
  }

  get owner(): Announcement | undefined {
    return this.#owner;
  }

  /** Whether the server answers, and this process is about to get an owner. */
  get expecting(): boolean {
    const seen = performance.now() - this.#absentAt;
    return this.#owner === undefined && this.#candidate?.standing === true && seen < expectingMs;
  }

  /** Why there is none, and what to do. */
  absence(): string {
    if (this.#policy === "never")
      return "no client owns the tuple spaces now, and this one may not (owner=never): connect one with owner=allow";
    const { failure } = this.#candidate ?? {};
    return failure === undefined
      ? "no client owns the tuple spaces yet"
      : `no client owns the tuple spaces, and this one could not: ${failure}`;
  }

  #told(message: Incoming): void {
    const told = readAnnouncement(message.data);
    if (told === undefined || told.epoch < (this.#owner?.epoch ?? 0)) return;
    const now = performance.now();
    this.#heardAt = now;
    if (told.revision !== this.#revision) {
      this.#revision = told.revision;
      this.#revisionAt = now;
    }
    if (!told.ready) return;
    const before = this.#owner;
    this.#owner = told;
    if (before?.epoch !== told.epoch || before.connection !== told.connection) this.#changed(told);
  }

  #tick(): void {
    if (this.#closed || !this.#connection.connected) return;
    if (this.#policy === "prefer") this.#candidate?.stand(undefined, true);
    if (performance.now() - this.#heardAt > silentMs || this.#owner === undefined) void this.#probe();
  }

  /** Asks the owner, if there is any, and stands for the seat where nobody answers. */
  async #probe(): Promise<void> {
    if (this.#probing || this.#closed || !this.#connection.connected) return;
    this.#probing = true;
    try {
      const asked = performance.now();
      const answered = await this.#ask();
      if (answered || this.#closed || !this.#connection.connected) return;
      if (this.#heardAt > asked) return;
      if (this.#policy === "never") return;
      const agoMs = performance.now() - this.#revisionAt;
      this.#candidate?.stand(this.#revision === 0 ? undefined : { revision: this.#revision, agoMs }, false);
    } finally {
      this.#probing = false;
    }
  }

  async #ask(): Promise<boolean> {
    try {
      const options = { timeoutMs: probeMs };
      const message = await this.#connection.request("look for an owner", whoSubject, new Uint8Array(0), options);
      if (readHeaders(message.headers).status === 503) {
        this.#absentAt = performance.now();
        return false;
      }
      this.#told(message);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const forget of this.#forgets) forget();
    this.#subscription.close();
  }
}
