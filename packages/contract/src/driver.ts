/**
 * What a driver gives: optional capabilities, found by presence. Bytes only: an envelope has a name, headers, a media
 * type and a body; codecs, schemas, retries, backoff and the renewal of leases live above, once.
 *
 * Conventions. Names, headers, options and sizes were checked above; a driver may rely on it. What waits for another
 * party takes a `Wait` and ends by its timeout or signal (BusError "timeout", "aborted"); every other operation ends
 * within `requestTimeoutMs` of the options the driver was opened with. A rejection is a BusError. An operation whose
 * outcome is unknown rejects with "indefinite"; everything else that rejects did not happen.
 *
 * Over 300 lines because who writes a driver reads it from top to bottom: it is all interfaces, in one place.
 */
import type { Auth, BusStatus, DriverName } from "./bus.ts";
import type { Envelope } from "./envelope.ts";
import type { BusError } from "./errors.ts";
import type { Headers } from "./headers.ts";
import type { Start } from "./log.ts";
import type { SpaceEvent, Wait } from "./space.ts";
import type { Support } from "./support.ts";
import type { TemplateParts } from "./template-text.ts";

export interface DriverOptions {
  readonly name: string;
  /** The servers of the URL, as written, the first included; none where the URL has no host. */
  readonly hosts?: readonly string[] | undefined;
  /** How long to keep trying to connect. */
  readonly timeoutMs: number;
  /** The deadline of every operation that takes no `Wait`. */
  readonly requestTimeoutMs: number;
  readonly maxPayloadBytes: number;
  readonly outboxBytes: number;
  readonly auth?: Auth | undefined;
  readonly tls?:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The one export that `bus` imports lazily from a driver's package. */
export type OpenDriver = (url: URL, options: DriverOptions) => Promise<Driver>;

export interface Driver {
  readonly name: DriverName;
  /** With any password masked. */
  readonly url: string;
  readonly support: Support;
  /** The lower of the option and the broker's own limit. */
  readonly maxPayloadBytes: number;
  readonly topics?: Topics | undefined;
  readonly logs?: Logs | undefined;
  readonly queues?: Queues | undefined;
  readonly tuples?: Tuples | undefined;
  readonly calls?: Calls | undefined;
  readonly blobs?: Blobs | undefined;
  list(kind: "mailbox" | "log" | "space" | "blobs"): Promise<readonly string[]>;
  /** Resolves when all that was published so far has reached the broker. */
  flush(): Promise<void>;
  /** One listener; called once a transition. Transitions before it is set are not repeated. */
  onStatus(listener: (status: BusStatus) => void): void;
  /** Counters and versions of client and broker, for `quadrant info`. */
  describe(): Promise<Readonly<Record<string, unknown>>>;
  /**
   * Flushes as far as it can within `drainMs`, then ends: what still waits rejects with "closed", leases held here are
   * given back, servers and subscriptions are gone. Idempotent; never rejects.
   */
  close(drainMs: number): Promise<void>;
}

/** Something that was set up and can be taken down; `close` is idempotent, resolves once the broker knows, never rejects. */
export interface Registration {
  close(): Promise<void>;
}

// ---------------------------------------------------------------- topics

export interface Topics {
  /**
   * Takes the message at once (undefined) or once there is room (a promise): "overflow" when nothing drained for
   * requestTimeoutMs or when what waits exceeds outboxBytes. In order per publisher. Coalesces what is published in one turn.
   */
  publish(envelope: Envelope): Promise<void> | undefined;
  /** Resolves once effective. Re-established by the driver after a reconnect. */
  subscribe(pattern: string, group: string | undefined, sink: TopicSink): Promise<Registration>;
}

/** Called by the driver; returns at once and never throws. No call after the registration's `close` resolved. */
export interface TopicSink {
  deliver(batch: readonly Envelope[]): void;
  /** So many messages for this subscription were lost on the way. */
  lost(count: number): void;
  /** The subscription is gone for good. */
  end(error: BusError): void;
  /**
   * Whether a message would reach its subscriber now; absent: always. A group passes over a member that is away or has no
   * room, as long as it has another.
   */
  available?(): boolean;
}

// ---------------------------------------------------------------- letters on loan: queues, and durables of logs

/** A message on loan. `token` names this very loan: it is the fence. */
export interface Leased extends Envelope {
  readonly id: string;
  readonly token: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  /** Of a log: the entry's sequence. */
  readonly seq?: number | undefined;
}

export interface FetchRequest {
  /** At most so many; at least 1. Resolves with what is there, waits only when there is nothing. */
  readonly max: number;
  /** undefined: the lease of the queue or durable. */
  readonly leaseMs?: number | undefined;
  /** Ends the wait; resolves with nothing. What was captured before the abort is delivered. */
  readonly signal?: AbortSignal | undefined;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
}

export type Settlement =
  | { readonly kind: "ack"; readonly token: string }
  /** Comes again after delayMs; on the last attempt it goes to the dead letters with this failure. */
  | { readonly kind: "nak"; readonly token: string; readonly delayMs: number; readonly failure?: Failure | undefined }
  /** Given back unhandled: available at once, and the attempt does not count. */
  | { readonly kind: "release"; readonly token: string }
  | { readonly kind: "reject"; readonly token: string; readonly failure: Failure }
  /** The lease ends leaseMs from now. */
  | { readonly kind: "extend"; readonly token: string; readonly leaseMs: number };

/** undefined: done. "stale": the lease was lost before, nothing changed. */
export type Settled = BusError | undefined;

export interface DeadRecord extends Envelope {
  readonly id: string;
  readonly attempt: number;
  readonly sentAt: number;
  readonly diedAt: number;
  readonly failure: Failure;
}

export interface RedriveRequest {
  readonly ids?: readonly string[] | undefined;
  readonly limit?: number | undefined;
}

/** Options left out stay as they are, or take the default on creation; those that differ are "conflict". */
export interface QueueOptions {
  readonly leaseMs?: number | undefined;
  readonly maxAttempts?: number | undefined;
  readonly capacity?: number | undefined;
}

export interface QueueLetter {
  readonly id: string;
  /** Whether the sender chose the id: then it is remembered for two minutes. A driver guards its own retries either way. */
  readonly dedupe: boolean;
  readonly headers: Headers;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** As of an envelope: only to a `LocalQueue`. */
  readonly text?: string | undefined;
  readonly delayMs?: number | undefined;
  readonly ttlMs?: number | undefined;
  readonly key?: string | undefined;
}

/** Of each letter of a batch: whether it was a duplicate, or why it was not taken. */
export type SendOutcome = { readonly duplicate: boolean } | { readonly error: BusError };

export interface QueueInfo {
  readonly waiting: number;
  readonly held: number;
  readonly delayed: number;
  readonly dead: number;
}

export interface PeekedLetter extends Envelope {
  readonly id: string;
  readonly attempt: number;
  readonly sentAt: number;
}

export interface Queues {
  /** Tells the lease that the queue has, whoever made it: receivers renew by it. */
  open(address: string, options: QueueOptions): Promise<{ readonly leaseMs: number }>;
  /** In order; one outcome a letter. Rejects as a whole only where none was taken, or with "indefinite". */
  send(address: string, letters: readonly QueueLetter[]): Promise<readonly SendOutcome[]>;
  fetch(address: string, request: FetchRequest): Promise<readonly Leased[]>;
  settle(address: string, settlements: readonly Settlement[]): Promise<readonly Settled[]>;
  info(address: string): Promise<QueueInfo>;
  /** The oldest that are not yet settled, held ones included. */
  peek(address: string, limit: number): Promise<readonly PeekedLetter[]>;
  deadLetters(address: string, limit: number): Promise<readonly DeadRecord[]>;
  redrive(address: string, request: RedriveRequest): Promise<number>;
  /** Removes what waits or is delayed; returns how many. Held and dead letters stay. */
  purge(address: string): Promise<number>;
  destroy(address: string): Promise<void>;
  /** Of a broker in this process alone. */
  local?(address: string): LocalQueue;
}

/**
 * A mailbox of a broker in this process: what is asked has been done when the call returns, with no promise for each
 * letter. What the methods of `Queues` reject with is thrown.
 */
export interface LocalQueue {
  send(letter: QueueLetter): SendOutcome;
  /** Of what `fetch` gave: as a settlement "ack". */
  acknowledge(leased: Leased): Settled;
  settle(settlement: Settlement): Settled;
  /**
   * Over once all that was done so far, and all that it has seen, is as stable as it gets; undefined: it is. Nothing is to be
   * answered before. The same promise for all that becomes stable together. Rejects with "indefinite", or where nothing was
   * `changed` with "unavailable".
   */
  stable(changed: boolean): Promise<void> | undefined;
  /**
   * Now and then over in the next turn of the event loop only, and what is stable is to be answered then: so that those who
   * wait for an answer, and ask for more at once, leave the rest of the process its turn.
   */
  turn(): Promise<void> | undefined;
}

// ---------------------------------------------------------------- logs

export interface LogLimits {
  readonly maxAgeMs?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly maxMessages?: number | undefined;
}

export interface StoredEntry extends Envelope {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly id?: string | undefined;
}

export interface AppendRequest extends Envelope {
  readonly id?: string | undefined;
  readonly expectLast?: number | undefined;
}

export interface LogReadRequest {
  readonly from: Start;
  readonly filter?: string | undefined;
  readonly max: number;
  /** Whether to wait when there is nothing. */
  readonly follow: boolean;
  /** Ends the wait; resolves with what is there. */
  readonly signal?: AbortSignal | undefined;
}

export interface LogPage {
  readonly entries: readonly StoredEntry[];
  /** Where the next page begins: `{ seq: next }`. Past the last looked at, whether or not it matched. */
  readonly next: number;
}

export interface LogInfo {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly bytes: number;
}

/** A durable position in a log, shared by its members. Options of one that exists: those that differ are "conflict". */
export interface DurableSpec {
  readonly durable: string;
  /** Only for a new one; "new" unless told. */
  readonly from?: Start | undefined;
  readonly filter?: string | undefined;
  readonly leaseMs?: number | undefined;
  readonly maxAttempts?: number | undefined;
}

export interface Logs {
  open(name: string, limits: LogLimits): Promise<void>;
  append(name: string, entry: AppendRequest): Promise<{ readonly seq: number; readonly duplicate: boolean }>;
  /** "gap" when `from.seq` was held once and no longer is. */
  read(name: string, request: LogReadRequest): Promise<LogPage>;
  last(name: string, subject: string): Promise<StoredEntry | undefined>;
  info(name: string): Promise<LogInfo>;
  destroy(name: string): Promise<void>;
  openDurable(name: string, spec: DurableSpec): Promise<{ readonly leaseMs: number }>;
  fetch(name: string, durable: string, request: FetchRequest): Promise<readonly Leased[]>;
  settle(name: string, durable: string, settlements: readonly Settlement[]): Promise<readonly Settled[]>;
  deadLetters(name: string, durable: string, limit: number): Promise<readonly DeadRecord[]>;
  redrive(name: string, durable: string, request: RedriveRequest): Promise<number>;
}

// ---------------------------------------------------------------- tuple spaces

/** Options left out stay as they are, or take the default on creation; those that differ are "conflict". */
export interface SpaceSpec {
  readonly pick?: "oldest" | "newest" | "random" | undefined;
  readonly capacity?: number | undefined;
  readonly whenFull?: "wait" | "reject" | undefined;
  readonly maxScan?: number | undefined;
  readonly history?: number | undefined;
}

/** A stored tuple's lease; `id` names the tuple until it is gone. */
export interface TupleLease {
  readonly id: string;
  /** Infinity without a lease. */
  readonly expiresInMs: number;
}

export interface ClaimedTuple {
  readonly tuple: string;
  /** Names this claim: the fence. */
  readonly token: string;
}

export type ClaimSettlement =
  | { readonly kind: "ack"; readonly token: string }
  | { readonly kind: "nak"; readonly token: string }
  | { readonly kind: "extend"; readonly token: string; readonly leaseMs: number };

/** How a template finds its tuples: by which index, and at how many it would look now. */
export interface TupleIndexUse {
  readonly index: string;
  readonly candidates: number;
}

/** What has happened to a tuple of a space. */
export interface TupleEvent {
  readonly kind: SpaceEvent<unknown>["kind"];
  readonly seq: number;
  readonly tuple: string;
}

export interface WatchRequest {
  readonly template: string;
  /** What came after this event; 0: from the first one on; undefined: nothing, but where the space stands now. */
  readonly after: number | undefined;
  /**
   * Whether to wait when there is nothing. Who asks by a number of his own does not, and gets as far back as `history` says;
   * who follows goes on from where the page before ended, and is held at least 1 024 events for.
   */
  readonly follow: boolean;
  /** Events at most; at least 1. */
  readonly max: number;
  /** Ends the wait: "aborted", or with an empty page. */
  readonly signal?: AbortSignal | undefined;
}

export interface WatchPage {
  readonly events: readonly TupleEvent[];
  /** The last event that was looked at, whether or not it matched: where the next page begins. A page may be empty. */
  readonly last: number;
}

/** An answer that may be there at once. */
export type Answer<T> = T | Promise<T>;

/**
 * The operations that are called most, of a driver whose spaces are in this process: where the answer is there at once,
 * it is what is returned, and what is refused at once is thrown; templates are given in parts. Otherwise as in `Tuples`.
 */
export interface DirectTuples {
  out(space: string, tuple: string, leaseMs: number | undefined, wait: Wait): Answer<TupleLease>;
  take(space: string, template: TemplateParts, wait: Wait): Answer<string>;
  read(space: string, template: TemplateParts, wait: Wait): Answer<string>;
  takeNow(space: string, template: TemplateParts): Answer<string | undefined>;
  readNow(space: string, template: TemplateParts): Answer<string | undefined>;
}

/** Tuples and templates travel as their canonical texts (tuple-text.ts, template-text.ts). */
export interface Tuples {
  /** Only where answers may be there at once. */
  readonly direct?: DirectTuples | undefined;
  open(space: string, spec: SpaceSpec): Promise<void>;
  /** Waits for room where the space is full and waits. */
  out(space: string, tuple: string, leaseMs: number | undefined, wait: Wait): Promise<TupleLease>;
  outMany(space: string, tuples: readonly string[], leaseMs: number | undefined): Promise<void>;
  /** `in` and `rd`: abort, timeout and capture are one decision. */
  take(space: string, template: string, wait: Wait): Promise<string>;
  read(space: string, template: string, wait: Wait): Promise<string>;
  takeNow(space: string, template: string): Promise<string | undefined>;
  readNow(space: string, template: string): Promise<string | undefined>;
  takeMany(space: string, template: string, max: number): Promise<readonly string[]>;
  readAll(space: string, template: string): Promise<readonly string[]>;
  count(space: string, template: string): Promise<number>;
  /** One tuple for each template, in their order, all or none, as `take`. Absent where `space.inAll` is refused. */
  takeAll?(space: string, templates: readonly string[], wait: Wait): Promise<readonly string[]>;
  /**
   * Moves every match to another space, or with `keep` copies it, at one moment; how many. A tuple has what was left of its
   * lease there, under a name of its own. "overflow" where there is no room for all. Absent where `space.collect` is refused.
   */
  collect?(space: string, template: string, target: string, keep: boolean): Promise<number>;
  /** Absent where `space.explain` is refused. */
  explain?(space: string, template: string): Promise<TupleIndexUse>;
  claim(space: string, template: string, leaseMs: number, wait: Wait): Promise<ClaimedTuple>;
  /** A page of what has happened. "gap" where that is not held any more, or was of a space that is gone. Absent where `space.watch` is refused. */
  watch?(space: string, request: WatchRequest): Promise<WatchPage>;
  settleClaim(space: string, settlement: ClaimSettlement): Promise<Settled>;
  /** The lease of a stored tuple: "stale" once the tuple is gone. */
  renew(space: string, id: string, leaseMs: number): Promise<TupleLease>;
  cancel(space: string, id: string): Promise<void>;
  destroy(space: string): Promise<void>;
}

// ---------------------------------------------------------------- calls

export interface ServerSpec {
  readonly address: string;
  readonly instance: string;
  readonly methods: readonly string[];
  readonly version?: string | undefined;
  readonly description?: string | undefined;
}

export interface ServerRecord extends ServerSpec {
  readonly handled: number;
  readonly failed: number;
  readonly meanMs: number;
}

export interface CallRequest {
  readonly address: string;
  readonly method: string;
  readonly headers: Headers;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** As of an `Envelope`. */
  readonly text?: string | undefined;
  /** How long the caller will wait from now on: for the reply, or for each item of a stream. */
  readonly timeoutMs: number;
  /** Items the server may send before it is granted more; 0 for a call that expects one reply. */
  readonly credit: number;
}

/** "value" and "end" and "error" are last. An "error" body is the JSON of a RemoteFailure. */
export interface ReplyFrame {
  readonly kind: "value" | "item" | "end" | "error";
  readonly contentType: string;
  readonly body: Uint8Array;
  /** As of an `Envelope`. */
  readonly text?: string | undefined;
}

/** Called by the driver; returns at once and never throws. After the last frame, or `fail`, nothing more comes. */
export interface ReplySink {
  reply(frame: ReplyFrame): void;
  /** "no-responder" at once; "indefinite" when server or broker went away after the request was sent. */
  fail(error: BusError): void;
}

export interface OutboundCall {
  /** The server may send so many items more. */
  credit(items: number): void;
  /** The caller has given up: the server is told, and no frame comes any more. */
  cancel(): void;
}

export interface InboundCall {
  readonly request: CallRequest;
  /** Frames to a caller that is gone are dropped. */
  reply(frame: ReplyFrame): void;
  /**
   * The server never got the call: it goes to another server of the address, or fails with "no-responder" where there is
   * none. Only before the first `reply`.
   */
  refuse(): void;
  /** At most one listener, set in the turn of `accept`. */
  onControl(listener: CallControl): void;
}

export interface CallControl {
  credit(items: number): void;
  /** The caller gave up, its deadline passed, or it is gone. */
  cancel(): void;
}

export interface Calls {
  /** Resolves once calls can arrive. Servers of one address share its calls round robin. Re-registered after a reconnect. */
  serve(spec: ServerSpec, accept: (call: InboundCall) => void): Promise<Registration>;
  /** Sent at once, executed at most once, never retried. Deadlines of the caller are kept above. */
  call(request: CallRequest, replies: ReplySink): OutboundCall;
  services(): Promise<readonly ServerRecord[]>;
}

// ---------------------------------------------------------------- blobs

/** What a store has of one name. */
export interface BlobEntry {
  readonly name: string;
  readonly bytes: number;
}

/**
 * A new version on its way, which nobody sees. What the broker holds of one whose client is gone is given back in time.
 * Rejects with "overflow" or "too-large" beyond a bound of the broker's; after any rejection there is only `abandon`.
 */
export interface BlobUpload {
  /**
   * The bytes that follow, at least one, at most `blobChunkBytes`; all but the last are of that size. They are the driver's
   * from then on. Resolves once it has room for as many again: at most `blobWindow` of these are under way.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** After the last `write` has resolved: replaces what the name stood for, at one moment. Of two uploads the later wins. */
  commit(sha256: string): Promise<void>;
  /** Nothing of it stays. Idempotent; resolves once the broker knows, or cannot be told; never rejects. */
  abandon(): Promise<void>;
}

/** One version of a blob, being read. */
export interface BlobDownload {
  readonly bytes: number;
  /** In lower-case hexadecimal. */
  readonly sha256: string;
  /**
   * The bytes that follow, of any size; undefined after the last. At most `blobWindow` of these are under way, answered in
   * order. "gap" once the version was replaced or deleted, "codec" where it is damaged: the bytes are checked above all the same.
   */
  read(): Promise<Uint8Array | undefined>;
  /** Not to be read further: lets go of whatever the first `read` took. Idempotent; at once; never throws. */
  close(): void;
}

/** What uses a store that was destroyed rejects with "conflict" until it is opened again. */
export interface Blobs {
  open(store: string): Promise<void>;
  upload(store: string, name: string): Promise<BlobUpload>;
  /** undefined: there is none. Takes nothing at the broker before the first `read`. */
  download(store: string, name: string): Promise<BlobDownload | undefined>;
  /** Whether there was one. */
  delete(store: string, name: string): Promise<boolean>;
  /** Of the names that begin so, those after `after` in the driver's order; `next` is where to go on, undefined at the end. */
  list(store: string, prefix: string, after: string | undefined): Promise<BlobPage>;
  destroy(store: string): Promise<void>;
}

export interface BlobPage {
  readonly blobs: readonly BlobEntry[];
  readonly next: string | undefined;
}
