import { nuid } from "@nats-io/transport-node";
import type { BlobUpload } from "@quadrant/contract";
import { failed } from "../failure.ts";
import { encodeHeaders, headerLine } from "../wire-headers.ts";
import { chunkSubject } from "./layout.ts";
import { UploadMarker } from "./markers.ts";
import type { Objects } from "./objects.ts";

/** A version on its way: chunks on a subject of its own, then one message that has the name stand for them. */
export class NatsUpload implements BlobUpload {
  readonly #objects: Objects;
  readonly #name: string;
  readonly #nuid = nuid.next();
  readonly #what: string;
  readonly #marker: UploadMarker;
  #bytes = 0;
  #chunks = 0;
  /** Where the last chunk went: what is repeated after a reconnect must not have overtaken another. */
  #lastSeq = 0;
  #over = false;

  constructor(objects: Objects, name: string) {
    this.#objects = objects;
    this.#name = name;
    this.#what = `put blob ${JSON.stringify(name)}`;
    this.#marker = new UploadMarker(objects.jetstream, objects.store, name, this.#nuid);
  }

  /** "conflict" where the store is gone. */
  async begin(): Promise<void> {
    await this.#objects.standing(this.#what, this.#name);
    await this.#marker.set();
  }

  async write(chunk: Uint8Array): Promise<void> {
    const { connection } = this.#objects.jetstream;
    const most = connection.maxPayloadBytes;
    const parts: Promise<{ readonly seq: number }>[] = [];
    for (let at = 0; at < chunk.length; at += most) parts.push(this.#store(chunk.subarray(at, at + most)));
    for (const { seq } of await Promise.all(parts)) {
      if (seq <= this.#lastSeq)
        throw failed("unavailable", `${this.#what}: its chunks came out of order; put it again`);
      this.#lastSeq = seq;
    }
  }

  async commit(sha256: string): Promise<void> {
    this.#marker.assertFresh();
    // From here on it may stand there: what is not known to be nobody's is not removed here.
    this.#over = true;
    const object = {
      name: this.#name,
      nuid: this.#nuid,
      bytes: this.#bytes,
      chunks: this.#chunks,
      sha256,
      deleted: false,
    };
    try {
      const before = await this.#objects.replace(this.#what, object, ({ object: now }) => now?.nuid === this.#nuid);
      await Promise.all([this.#objects.removeChunks(this.#what, before?.object?.nuid), this.#marker.clear()]);
    } finally {
      this.#marker.leave();
    }
  }

  async abandon(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    await Promise.all([this.#objects.removeChunks(this.#what, this.#nuid), this.#marker.clear()]);
  }

  async #store(part: Uint8Array): Promise<{ readonly seq: number }> {
    const { jetstream, store } = this.#objects;
    this.#bytes += part.length;
    const id = headerLine("Nats-Msg-Id", `${this.#nuid}-${this.#chunks++}`);
    const subject = chunkSubject(store, this.#nuid);
    try {
      return await jetstream.connection.store(this.#what, subject, part, encodeHeaders({}, "", id), true);
    } catch (error) {
      throw this.#objects.fault(error, this.#what);
    }
  }
}
