import {
  assertSupported,
  type BlobStore,
  type Blobs,
  BusError,
  type Context,
  checkBlobName,
  checkBlobPrefix,
  checkSignal,
  checkToken,
  unlessAborted,
} from "@quadrant/contract";
import { checkOptions } from "../options.ts";
import { BlobReader } from "./blob-reader.ts";
import { type BlobSource, BlobWriter, checkSource } from "./blob-writer.ts";

/** Opens a blob store, creating it where it does not exist. Throws "invalid" for what is no token, "unsupported", "closed". */
export async function openBlobs(context: Context, name: string): Promise<BlobStore> {
  context.assertIntake();
  checkToken("blob store", name);
  const { driver } = context;
  assertSupported(driver, "blobs");
  const { blobs } = driver;
  if (blobs === undefined)
    throw new BusError("unsupported", `the driver ${driver.name} has no blob stores`, { driver: driver.name });
  await blobs.open(name);
  return new DriverBlobStore(context, blobs, name);
}

type Entry = Awaited<ReturnType<BlobStore["list"]>>[number];

class DriverBlobStore implements BlobStore {
  readonly #context: Context;
  readonly #blobs: Blobs;
  readonly #store: string;

  constructor(context: Context, blobs: Blobs, store: string) {
    this.#context = context;
    this.#blobs = blobs;
    this.#store = store;
  }

  async put(name: string, data: BlobSource): Promise<{ bytes: number; sha256: string }> {
    this.#context.assertOpen();
    checkBlobName(name);
    checkSource(data);
    const upload = await this.#blobs.upload(this.#store, name);
    return new BlobWriter(this.#context, upload, this.#what(name)).write(data);
  }

  async get(
    name: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    this.#context.assertOpen();
    checkOptions(options);
    checkBlobName(name);
    const signal = options?.signal;
    const what = `reading ${this.#what(name)}`;
    checkSignal(signal, what);
    const found = this.#blobs.download(this.#store, name);
    const download = await unlessAborted(signal, what, found, (late) => late?.close());
    return download === undefined ? undefined : new BlobReader(this.#context, download, { what, signal });
  }

  async delete(name: string): Promise<boolean> {
    this.#context.assertOpen();
    checkBlobName(name);
    return this.#blobs.delete(this.#store, name);
  }

  async list(prefix: string = ""): Promise<readonly Entry[]> {
    this.#context.assertOpen();
    checkBlobPrefix(prefix);
    const entries: Entry[] = [];
    let after: string | undefined;
    do {
      const page = await this.#blobs.list(this.#store, prefix, after);
      for (const { name, bytes } of page.blobs) entries.push({ name, bytes });
      after = page.next;
    } while (after !== undefined);
    return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  async destroy(): Promise<void> {
    this.#context.assertOpen();
    await this.#blobs.destroy(this.#store);
  }

  #what(name: string): string {
    return `blob ${JSON.stringify(name)} of ${JSON.stringify(this.#store)}`;
  }
}
