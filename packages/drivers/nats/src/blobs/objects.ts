import { isBusError, unlessAborted } from "@quadrant/contract";
import { asBusError, failed, isJetStreamError } from "../failure.ts";
import { type JetStream, noStream, type StoredMessage, wrongLastSequence } from "../jetstream.ts";
import { encodeHeaders, headerLine, readHeaders } from "../wire-headers.ts";
import {
  chunkSubject,
  decodeObject,
  encodeObject,
  metaSubject,
  metaSubjects,
  nameOfSubject,
  objectStream,
  type StoredObject,
} from "./layout.ts";

/** What a name stands for, and the sequence that says so; 0: nothing ever did. */
export interface Standing {
  readonly seq: number;
  readonly object: StoredObject | undefined;
}

/** A chunk as it is stored. */
export interface StoredChunk {
  readonly seq: number;
  readonly body: Uint8Array;
}

/** How often a decision is tried again because somebody else was quicker. */
const maxTries = 100;
/** How many objects of a listing are asked for at once. */
const listedAtOnce = 64;

/** The objects of one store: what is said of them, decided by compare-and-set on the sequence of their subject. */
export class Objects {
  readonly jetstream: JetStream;
  readonly store: string;
  readonly stream: string;

  constructor(jetstream: JetStream, store: string) {
    this.jetstream = jetstream;
    this.store = store;
    this.stream = objectStream(store);
  }

  /** "conflict" where the store is gone; what else JetStream says, in terms of the bus. */
  fault(error: unknown, what: string): Error {
    if (!isJetStreamError(error, noStream)) return asBusError(error, what);
    return failed("conflict", `${what}: the blob store was destroyed: open it again to make it anew`, error);
  }

  /** The leader's word, so that what was put is seen. */
  async standing(what: string, name: string): Promise<Standing> {
    try {
      const query = { last_by_subj: metaSubject(this.store, name) };
      const message = await this.jetstream.message(what, this.stream, query);
      if (message === undefined) return { seq: 0, object: undefined };
      return { seq: message.seq, object: decodeObject(what, message.body) };
    } catch (error) {
      throw this.fault(error, what);
    }
  }

  /** Has the name stand for the object. Returns what it stood for; undefined: it is as `unless` wants it already. */
  async replace(
    what: string,
    object: StoredObject,
    unless: (standing: Standing) => boolean,
  ): Promise<Standing | undefined> {
    for (let tries = 0; tries < maxTries; tries++) {
      const before = await this.standing(what, object.name);
      if (unless(before)) return undefined;
      const lines = headerLine("Nats-Rollup", "sub") + headerLine("Nats-Expected-Last-Subject-Sequence", before.seq);
      const subject = metaSubject(this.store, object.name);
      const { connection } = this.jetstream;
      const deadline = performance.now() + connection.requestTimeoutMs;
      try {
        await connection.store(what, subject, encodeObject(this.store, object), encodeHeaders({}, "", lines), false);
        return before;
      } catch (error) {
        if (isBusError(error, "indefinite") && (await this.#standsFor(what, object, deadline))) return before;
        // Somebody else was quicker: what stands there now is looked at again.
        if (!isJetStreamError(error, wrongLastSequence)) throw this.fault(error, what);
      }
    }
    throw failed("unavailable", `${what}: others change it all the time; try again`);
  }

  /** Whether what was stored, and not acknowledged, is known by the deadline to be there; false: it may still come. */
  async #standsFor(what: string, { name, nuid }: StoredObject, deadline: number): Promise<boolean> {
    const left = deadline - performance.now();
    if (nuid === "" || left < 1) return false;
    const asked = this.standing(what, name);
    const now = await unlessAborted(AbortSignal.timeout(left), what, asked, () => undefined).catch(() => undefined);
    return now?.object?.nuid === nuid;
  }

  /** Gives back the room of a version that no name stands for. Best effort. */
  async removeChunks(what: string, nuid: string | undefined): Promise<void> {
    if (nuid === undefined || nuid === "") return;
    await this.jetstream.purge(what, this.stream, chunkSubject(this.store, nuid)).catch(() => undefined);
  }

  /**
   * The first chunk of a version from a sequence on; undefined: there is none. By direct get, which answers bytes as they
   * are, and from the nearest replica; what that does not have the leader is asked for.
   */
  async chunk(what: string, nuid: string, from: number): Promise<StoredChunk | undefined> {
    const query = { seq: from, next_by_subj: chunkSubject(this.store, nuid) };
    const { connection } = this.jetstream;
    const subject = `$JS.API.DIRECT.GET.${this.stream}`;
    const message = await connection.request(what, subject, Buffer.from(JSON.stringify(query)));
    const { status, own } = readHeaders(message.headers);
    const seq = Number(own.get("nats-sequence"));
    if (status === 0 && seq > 0) return { seq, body: message.data };
    try {
      return await this.jetstream.message(what, this.stream, query);
    } catch (error) {
      throw this.fault(error, what);
    }
  }

  /** Of the names that begin so, what they stand for. */
  async list(what: string, prefix: string): Promise<readonly StoredObject[]> {
    try {
      const subjects = await this.jetstream.subjects(what, this.stream, metaSubjects(this.store));
      const wanted = [...subjects.keys()].filter((each) => nameOfSubject(this.store, each).startsWith(prefix));
      const found: StoredObject[] = [];
      while (wanted.length > 0) {
        const asked = wanted.splice(0, listedAtOnce).map((subject) => this.#object(what, subject));
        for (const object of await Promise.all(asked)) if (object !== undefined) found.push(object);
      }
      return found;
    } catch (error) {
      throw this.fault(error, what);
    }
  }

  async #object(what: string, subject: string): Promise<StoredObject | undefined> {
    const message: StoredMessage | undefined = await this.jetstream.message(what, this.stream, {
      last_by_subj: subject,
    });
    if (message === undefined) return undefined;
    try {
      const object = decodeObject(what, message.body);
      return object.deleted ? undefined : object;
    } catch {
      // Somebody else's link, or what nobody can read.
      return undefined;
    }
  }
}
