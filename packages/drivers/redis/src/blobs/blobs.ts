import { randomBytes } from "node:crypto";
import type { BlobDownload, BlobEntry, BlobPage, Blobs, BlobUpload } from "@quadrant/contract";
import { blobsKey } from "../names.ts";
import type { Openings } from "../openings.ts";
import type { Requests } from "../requests.ts";
import type { Argument } from "../resp/command-writer.ts";
import { listOf, numberOf, type Reply, textOf } from "../resp/reply-reader.ts";
import * as scripts from "../scripts/blobs.ts";
import type { Script } from "../scripts/script.ts";
import { RedisDownload } from "./download.ts";
import { RedisUpload } from "./upload.ts";

/** How many entries a page of a listing has. */
const pageSize = 1_000;

/** Blob stores. */
export class RedisBlobs implements Blobs {
  readonly #requests: Requests;
  readonly #openings: Openings;

  constructor(requests: Requests, openings: Openings) {
    this.#requests = requests;
    this.#openings = openings;
  }

  async open(store: string): Promise<void> {
    await this.#open(store, true);
    this.#openings.opened(blobsKey(store), () => this.#open(store, false));
  }

  async upload(store: string, name: string): Promise<BlobUpload> {
    const what = `put blob ${JSON.stringify(name)}`;
    // That the store is there is known before anything is sent.
    await this.#run(scripts.findBlob, store, what, [name], false);
    return new RedisUpload(
      { requests: this.#requests, key: blobsKey(store), name, what, id: randomBytes(12).toString("base64url") },
      (script, values) => this.#run(script, store, what, values, true),
    );
  }

  async download(store: string, name: string): Promise<BlobDownload | undefined> {
    const what = `read blob ${JSON.stringify(name)}`;
    const found = listOf(await this.#run(scripts.findBlob, store, what, [name], false));
    if (found.length === 0) return undefined;
    const [id, bytes, sha256, chunks] = found;
    const version = { name, id: textOf(id), bytes: numberOf(bytes), sha256: textOf(sha256), chunks: numberOf(chunks) };
    const terms = { what, writes: false };
    return new RedisDownload(version, (values) =>
      this.#requests.run(scripts.readChunk, blobsKey(store), values, terms),
    );
  }

  async delete(store: string, name: string): Promise<boolean> {
    const what = `delete blob ${JSON.stringify(name)}`;
    return (await this.#run(scripts.deleteBlob, store, what, [name], true)) === 1;
  }

  async list(store: string, prefix: string, after: string | undefined): Promise<BlobPage> {
    const values = [prefix, after ?? "", pageSize];
    const reply = listOf(await this.#run(scripts.listBlobs, store, `list blobs of ${store}`, values, false));
    const blobs: BlobEntry[] = [];
    for (let at = 0; at < reply.length; at += 2) {
      blobs.push({ name: textOf(reply[at]), bytes: numberOf(reply[at + 1]) });
    }
    return { blobs, next: blobs.length === pageSize ? blobs.at(-1)!.name : undefined };
  }

  async destroy(store: string): Promise<void> {
    const values = [this.#openings.registry("blobs"), store];
    const terms = { what: `destroy blob store ${store}`, writes: true };
    while ((await this.#requests.run(scripts.destroyBlobs, blobsKey(store), values, terms)) === 1);
    await this.#openings.deregister("blobs", store);
    this.#openings.destroyed(blobsKey(store));
  }

  async #open(store: string, anew: boolean): Promise<void> {
    const registry = await this.#openings.register("blobs", store);
    const terms = { what: `open blob store ${store}`, writes: true };
    await this.#requests.run(scripts.openBlobs, blobsKey(store), [registry, store, anew ? "1" : "0"], terms);
  }

  /** A store that was lost with its server is made again. */
  async #run(
    script: Script,
    store: string,
    what: string,
    values: readonly Argument[],
    writes: boolean,
  ): Promise<Reply> {
    for (;;) {
      const reply = await this.#requests.run(script, blobsKey(store), values, { what, writes });
      if (reply !== -1) return reply;
      await this.#openings.again(blobsKey(store), () => this.#open(store, false));
    }
  }
}
