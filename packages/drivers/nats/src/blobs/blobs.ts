import type { BlobDownload, BlobPage, Blobs, BlobUpload } from "@quadrant/contract";
import { isJetStreamError } from "../failure.ts";
import { type JetStream, noStream } from "../jetstream.ts";
import { nameOf } from "../token.ts";
import { NatsDownload } from "./download.ts";
import { isObjectStream, objectConfig, objectStream, objectSubjects, tokenOfObjectStream } from "./layout.ts";
import { reclaimUploads } from "./markers.ts";
import { Objects } from "./objects.ts";
import { NatsUpload } from "./upload.ts";

/** Between two looks at what was not put into a store, of one connection. */
const reclaimEveryMs = 60_000;
/** Stores whose last look is remembered. */
const maxLooked = 1_000;

/** Blob stores, each an object store of NATS. */
export class NatsBlobs implements Blobs {
  readonly #jetstream: JetStream;
  /** When each store was last looked at for what was not put. */
  readonly #looked = new Map<string, number>();

  constructor(jetstream: JetStream) {
    this.#jetstream = jetstream;
  }

  async open(store: string): Promise<void> {
    // Somebody may have destroyed it since.
    this.#jetstream.forget(objectStream(store));
    await this.#jetstream.ensure(objectConfig(store, this.#jetstream.replicas));
    this.#reclaim(store);
  }

  async upload(store: string, name: string): Promise<BlobUpload> {
    const upload = new NatsUpload(new Objects(this.#jetstream, store), name);
    await upload.begin();
    this.#reclaim(store);
    return upload;
  }

  async download(store: string, name: string): Promise<BlobDownload | undefined> {
    const objects = new Objects(this.#jetstream, store);
    const { object } = await objects.standing(`read blob ${JSON.stringify(name)}`, name);
    return object === undefined || object.deleted ? undefined : new NatsDownload(objects, object);
  }

  async delete(store: string, name: string): Promise<boolean> {
    const objects = new Objects(this.#jetstream, store);
    const what = `delete blob ${JSON.stringify(name)}`;
    const gone = { name, nuid: "", bytes: 0, chunks: 0, sha256: "", deleted: true };
    const before = await objects.replace(what, gone, ({ object }) => object === undefined || object.deleted);
    if (before === undefined) return false;
    await objects.removeChunks(what, before.object?.nuid);
    return true;
  }

  /** All at once: their names are in the subjects, and only those that are wanted are asked for. */
  async list(store: string, prefix: string): Promise<BlobPage> {
    const objects = await new Objects(this.#jetstream, store).list(`list blobs of ${store}`, prefix);
    return { blobs: objects.map(({ name, bytes }) => ({ name, bytes })), next: undefined };
  }

  async destroy(store: string): Promise<void> {
    const stream = objectStream(store);
    this.#jetstream.forget(stream);
    const what = `destroy blob store ${store}`;
    try {
      await this.#jetstream.connection.api(what, `STREAM.DELETE.${stream}`, undefined, { writes: true });
    } catch (error) {
      if (!isJetStreamError(error, noStream)) throw new Objects(this.#jetstream, store).fault(error, what);
    }
  }

  /** The names of the stores there are, those of other clients too. */
  async names(): Promise<readonly string[]> {
    const streams = await this.#jetstream.streamNames("list of blob stores", objectSubjects);
    const names: string[] = [];
    for (const stream of streams.filter(isObjectStream)) {
      names.push(nameOf(tokenOfObjectStream(stream)) ?? (await this.#described(stream)));
    }
    return names.sort();
  }

  async #described(stream: string): Promise<string> {
    const { config } = await this.#jetstream.stream("list of blob stores", stream);
    return config.description ?? stream;
  }

  /** Nobody waits for it: what cannot be looked at now is the next time. */
  #reclaim(store: string): void {
    const now = performance.now();
    if (now - (this.#looked.get(store) ?? Number.NEGATIVE_INFINITY) < reclaimEveryMs) return;
    if (this.#looked.size >= maxLooked) this.#looked.clear();
    this.#looked.set(store, now);
    void reclaimUploads(this.#jetstream, store).catch(() => undefined);
  }
}
