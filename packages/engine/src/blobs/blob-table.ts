import { type BlobEntry, type BlobPage, type BlobUpload, BusError, blobChunkBytes } from "@quadrant/contract";
import type { BlobContent, BlobDraft, BlobMedium, BlobShelf } from "./blob-medium.ts";

/** How many entries a page of a listing has. */
const pageSize = 1_000;
/** How many names of destroyed stores are remembered. */
const maxDestroyed = 10_000;

/** What is told of a blob before it is read. */
export interface FoundBlob {
  readonly bytes: number;
  readonly sha256: string;
  readonly version: string;
}

/** One store: what its names stand for. What changes that does so one after the other. */
class Store {
  readonly name: string;
  readonly shelf: BlobShelf;
  readonly contents = new Map<string, BlobContent>();
  destroyed = false;
  /** The names, until another comes or goes. */
  #sorted: readonly string[] | undefined;
  #line: Promise<unknown> = Promise.resolve();

  constructor(name: string, shelf: BlobShelf, contents: readonly BlobContent[]) {
    this.name = name;
    this.shelf = shelf;
    for (const content of contents) this.contents.set(content.name, content);
  }

  set(content: BlobContent): BlobContent | undefined {
    const old = this.contents.get(content.name);
    this.contents.set(content.name, content);
    if (old === undefined) this.#sorted = undefined;
    return old;
  }

  delete(name: string): void {
    this.contents.delete(name);
    this.#sorted = undefined;
  }

  /** As they are ordered, those from `from` on. */
  namesFrom(from: string): { readonly names: readonly string[]; readonly at: number } {
    this.#sorted ??= [...this.contents.keys()].sort();
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sorted[middle]! < from) low = middle + 1;
      else high = middle;
    }
    return { names: this.#sorted, at: low };
  }

  /** Runs `change` when those before it have ended. */
  change<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#line.then(change);
    this.#line = changed.catch(() => undefined);
    return changed;
  }
}

/**
 * The blob stores of one engine, on a medium. A new version is seen at the moment it is committed, and what it replaces is
 * removed then, whoever reads it. A store that was destroyed is "conflict" until it is opened again; one that never was is
 * made by use.
 */
export class BlobTable {
  readonly #medium: BlobMedium;
  readonly #driver: string;
  readonly #stores = new Map<string, Promise<Store>>();
  readonly #destroyed = new Set<string>();
  /** What is being uploaded. */
  readonly #drafts = new Set<BlobDraft>();
  #closed = false;

  private constructor(medium: BlobMedium, driver: string) {
    this.#medium = medium;
    this.#driver = driver;
  }

  /** With what the medium holds. */
  static async recover(medium: BlobMedium, driver: string): Promise<BlobTable> {
    const table = new BlobTable(medium, driver);
    const { shelves, destroyed } = await medium.recover();
    for (const { store, shelf, contents } of shelves) {
      table.#stores.set(store, Promise.resolve(new Store(store, shelf, contents)));
    }
    for (const store of destroyed) table.#destroyed.add(store);
    return table;
  }

  /** Of a medium that holds nothing yet. */
  static empty(medium: BlobMedium, driver: string): BlobTable {
    return new BlobTable(medium, driver);
  }

  /** Sorted. */
  names(): readonly string[] {
    return [...this.#stores.keys()].sort();
  }

  describe(): Readonly<Record<string, number>> {
    return { blobStores: this.#stores.size, ...this.#medium.describe() };
  }

  isDestroyed(store: string): boolean {
    return this.#destroyed.has(store);
  }

  /** What is being changed is done, what was being uploaded is gone, when it resolves. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#drafts].map((draft) => draft.discard()));
    this.#drafts.clear();
    for (const store of this.#stores.values())
      await store.then((each) => each.change(async () => undefined)).catch(() => undefined);
  }

  async open(store: string): Promise<void> {
    this.#destroyed.delete(store);
    await this.#obtain(store);
  }

  async upload(store: string, name: string): Promise<BlobUpload> {
    const target = await this.#obtain(store);
    const draft = await target.shelf.draft(name);
    if (this.#closed) throw this.#error("closed", "the blob stores are closed");
    this.#drafts.add(draft);
    let last = false;
    return {
      write: async (chunk) => {
        if (last || chunk.length === 0 || chunk.length > blobChunkBytes) {
          throw this.#error("invalid", `the chunks of a blob have ${blobChunkBytes} bytes, but for the last`);
        }
        last = chunk.length < blobChunkBytes;
        await draft.write(chunk);
      },
      commit: async (sha256) => {
        await target.change(() => this.#replace(target, draft, sha256));
        this.#drafts.delete(draft);
      },
      abandon: async () => {
        // Who closes the table waits for it until it is gone.
        await draft.discard();
        this.#drafts.delete(draft);
      },
    };
  }

  async find(store: string, name: string): Promise<FoundBlob | undefined> {
    const content = (await this.#obtain(store)).contents.get(name);
    return content && { bytes: content.bytes, sha256: content.sha256, version: content.version };
  }

  /** At most a chunk, from `offset` on, of that version; "gap" where the name does not stand for it any more. */
  async read(store: string, name: string, version: string, offset: number): Promise<Uint8Array> {
    const source = await this.#obtain(store);
    const content = source.contents.get(name);
    if (content?.version !== version) throw this.#gap(name);
    if (!(offset >= 0 && offset < content.bytes)) throw this.#error("invalid", `blob ${name} has no byte ${offset}`);
    try {
      return await content.read(offset, blobChunkBytes);
    } catch (error) {
      if (source.contents.get(name) !== content) throw this.#gap(name);
      throw error;
    }
  }

  async delete(store: string, name: string): Promise<boolean> {
    const target = await this.#obtain(store);
    return target.change(async () => {
      const content = target.contents.get(name);
      if (content === undefined) return false;
      await content.remove();
      target.delete(name);
      return true;
    });
  }

  async list(store: string, prefix: string, after: string | undefined): Promise<BlobPage> {
    const from = await this.#obtain(store);
    const { names, at } = from.namesFrom(after === undefined || after < prefix ? prefix : after);
    const blobs: BlobEntry[] = [];
    let next: string | undefined;
    for (let i = names[at] === after ? at + 1 : at; i < names.length && names[i]!.startsWith(prefix); i++) {
      if (blobs.length === pageSize) {
        next = blobs.at(-1)!.name;
        break;
      }
      blobs.push({ name: names[i]!, bytes: from.contents.get(names[i]!)!.bytes });
    }
    return { blobs, next };
  }

  async destroy(store: string): Promise<void> {
    const target = await this.#stores.get(store);
    if (target === undefined) return;
    await target.change(async () => {
      if (target.destroyed) return;
      target.destroyed = true;
      for (const content of target.contents.values()) await content.remove();
      target.contents.clear();
      await target.shelf.remove();
      this.#stores.delete(store);
      this.#destroyed.add(store);
      const [oldest] = this.#destroyed;
      if (this.#destroyed.size <= maxDestroyed) return;
      this.#destroyed.delete(oldest!);
      await this.#medium.forget(oldest!);
    });
  }

  async #replace(target: Store, draft: BlobDraft, sha256: string): Promise<void> {
    if (target.destroyed) throw this.#gone(target.name);
    const content = await draft.keep(sha256);
    const old = target.set(content);
    // It is replaced already: what of it cannot be removed now is when the medium is opened again.
    await old?.remove().catch(() => undefined);
  }

  async #obtain(store: string): Promise<Store> {
    const found = this.#stores.get(store);
    if (found !== undefined) {
      const there = await found;
      if (!there.destroyed) return there;
    }
    if (this.#destroyed.has(store) || found !== undefined) throw this.#gone(store);
    const made = this.#medium.make(store).then((shelf) => new Store(store, shelf, []));
    this.#stores.set(store, made);
    made.catch(() => this.#stores.delete(store));
    return made;
  }

  #gap(name: string): BusError {
    return this.#error("gap", `blob ${JSON.stringify(name)} was replaced or deleted while it was read: get it again`);
  }

  #gone(store: string): BusError {
    return this.#error("conflict", `the blob store ${store} was destroyed: open it again to make it anew`);
  }

  #error(code: "gap" | "conflict" | "invalid" | "closed", message: string): BusError {
    return new BusError(code, message, { driver: this.#driver });
  }
}
