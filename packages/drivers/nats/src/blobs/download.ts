import { type BlobDownload, blobWindow } from "@quadrant/contract";
import { failed } from "../failure.ts";
import type { StoredObject } from "./layout.ts";
import type { Objects, StoredChunk } from "./objects.ts";

/**
 * One version, chunk by chunk. Each is asked for by the sequence from which on it is looked for. Chunks of one version mostly
 * follow each other in the stream, so the next sequences are asked for ahead; where others lie between, the same chunk is
 * answered several times, and it is asked ahead for less.
 */
export class NatsDownload implements BlobDownload {
  readonly bytes: number;
  readonly sha256: string;
  readonly #objects: Objects;
  readonly #object: StoredObject;
  readonly #what: string;
  readonly #asked: Promise<StoredChunk | undefined>[] = [];
  #ahead = 1;
  /** Of what is asked for next. */
  #seq = 1;
  #lastSeq = 0;
  #read = 0;
  #reading: Promise<Uint8Array | undefined> = Promise.resolve(undefined);
  #closed = false;

  constructor(objects: Objects, object: StoredObject) {
    this.#objects = objects;
    this.#object = object;
    this.#what = `read blob ${JSON.stringify(object.name)}`;
    this.bytes = object.bytes;
    this.sha256 = object.sha256;
  }

  read(): Promise<Uint8Array | undefined> {
    this.#reading = this.#reading.then(() => this.#next());
    return this.#reading;
  }

  close(): void {
    this.#closed = true;
    this.#asked.length = 0;
  }

  async #next(): Promise<Uint8Array | undefined> {
    while (this.#read < this.#object.chunks && !this.#closed) {
      this.#ask();
      const chunk = await this.#asked.shift()!;
      if (chunk === undefined) throw await this.#missing();
      if (chunk.seq <= this.#lastSeq) {
        this.#ahead = 1;
        continue;
      }
      // The first is anywhere, those behind it where it is.
      if (this.#lastSeq === 0) this.#ahead = 2;
      else if (chunk.seq === this.#lastSeq + 1) this.#ahead = Math.min(blobWindow, this.#ahead * 2);
      this.#lastSeq = chunk.seq;
      this.#seq = Math.max(this.#seq, chunk.seq + 1);
      this.#read++;
      return chunk.body;
    }
    return undefined;
  }

  #ask(): void {
    const left = this.#object.chunks - this.#read;
    while (this.#asked.length < Math.min(this.#ahead, left)) {
      const asked = this.#objects.chunk(this.#what, this.#object.nuid, this.#seq++);
      asked.catch(() => undefined);
      this.#asked.push(asked);
    }
  }

  async #missing(): Promise<Error> {
    const { object } = await this.#objects.standing(this.#what, this.#object.name);
    if (object?.nuid === this.#object.nuid && !object.deleted) {
      return failed("codec", `${this.#what}: it is damaged, a chunk is missing; put it again`);
    }
    return failed("gap", `${this.#what}: it was replaced or deleted while it was read: get it again`);
  }
}
