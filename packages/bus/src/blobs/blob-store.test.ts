import { createHash } from "node:crypto";
import {
  type BlobDownload,
  type BlobStore,
  type Blobs,
  type BlobUpload,
  Bodies,
  BusError,
  blobChunkBytes,
  blobWindow,
  bytes,
  type Driver,
} from "@quadrant/contract";
import { describe, expect, it, vi } from "vitest";
import { Connection } from "../connection.ts";
import { openBlobs } from "./blob-store.ts";

const sumOf = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

interface Opened {
  readonly store: BlobStore;
  readonly connection: Connection;
}

/** A store over a driver that is as good as what the test gives. */
async function opened(blobs: Partial<Blobs>): Promise<Opened> {
  const driver = {
    name: "memory",
    url: "memory:",
    support: { blobs: { how: "native", note: "" } },
    maxPayloadBytes: 1_000,
    blobs: { open: async () => undefined, ...blobs },
    onStatus: () => undefined,
    close: async () => undefined,
  } as unknown as Driver;
  const connection = new Connection(driver, new Bodies(bytes, [bytes], 1_000), 1_000);
  return { store: await openBlobs(connection, "store"), connection };
}

/** An upload that takes a chunk when it is told to. */
class StubUpload implements BlobUpload {
  readonly chunks: Uint8Array[] = [];
  readonly waiting: { resolve(): void; reject(error: unknown): void }[] = [];
  committed: string | undefined;
  abandoned = 0;
  /** Whether chunks are taken at once. */
  quick = true;

  write(chunk: Uint8Array): Promise<void> {
    this.chunks.push(chunk);
    return this.quick ? Promise.resolve() : new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }
  async commit(sha256: string): Promise<void> {
    this.committed = sha256;
  }
  async abandon(): Promise<void> {
    this.abandoned++;
  }
}

async function* pieces(...all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("put", () => {
  it("cuts whatever the source gives into chunks of one size, and commits the sum of all", async () => {
    const upload = new StubUpload();
    const { store } = await opened({ upload: async () => upload });
    const content = new Uint8Array(3 * blobChunkBytes + 5).map((_, at) => at % 251);
    const source = pieces(
      content.subarray(0, 1),
      content.subarray(1, 1),
      content.subarray(1, 200_000),
      content.subarray(200_000),
    );
    expect(await store.put("a", source)).toEqual({ bytes: content.length, sha256: sumOf(content) });
    expect(upload.chunks.map((chunk) => chunk.length)).toEqual([blobChunkBytes, blobChunkBytes, blobChunkBytes, 5]);
    expect(Buffer.compare(Buffer.concat(upload.chunks), content)).toBe(0);
    expect([upload.committed, upload.abandoned]).toEqual([sumOf(content), 0]);
  });

  it("has no more chunks under way than the window, and pulls the source no further", async () => {
    const upload = new StubUpload();
    upload.quick = false;
    const { store } = await opened({ upload: async () => upload });
    let pulled = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; pulled < 100; pulled++) yield new Uint8Array(blobChunkBytes);
    }
    const putting = store.put("a", endless());
    await vi.waitUntil(() => upload.chunks.length === blobWindow);
    for (let n = 0; n < 20; n++) await turn();
    expect(upload.chunks).toHaveLength(blobWindow);
    expect(pulled).toBe(blobWindow);
    upload.quick = true;
    for (const { resolve } of upload.waiting) resolve();
    expect((await putting).bytes).toBe(100 * blobChunkBytes);
  });

  it("ends when a chunk fails, also while the source gives nothing, and leaves the source", async () => {
    const upload = new StubUpload();
    upload.quick = false;
    const { store } = await opened({ upload: async () => upload });
    let left = false;
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => {
        let first = true;
        return {
          next: () => {
            if (!first) return new Promise(() => undefined);
            first = false;
            return Promise.resolve({ value: new Uint8Array(blobChunkBytes), done: false });
          },
          return: async () => {
            left = true;
            return { value: undefined, done: true };
          },
        };
      },
    };
    const putting = store.put("a", source);
    await vi.waitUntil(() => upload.waiting.length === 1);
    // Whether a chunk arrived is unknown; that there is no blob is not.
    upload.waiting[0]!.reject(new BusError("indefinite", "who knows"));
    await expect(putting).rejects.toMatchObject({ code: "unavailable" });
    expect([left, upload.abandoned, upload.committed]).toEqual([true, 1, undefined]);
  });

  it("passes on what became of a commit, and gives the upload up", async () => {
    const upload = new StubUpload();
    upload.commit = () => Promise.reject(new BusError("indefinite", "who knows"));
    const { store } = await opened({ upload: async () => upload });
    await expect(store.put("a", new Uint8Array(1))).rejects.toMatchObject({ code: "indefinite" });
    expect(upload.abandoned).toBe(1);
  });

  it("ends with the bus, whose source may never", async () => {
    const upload = new StubUpload();
    const { store, connection } = await opened({ upload: async () => upload });
    async function* silent(): AsyncGenerator<Uint8Array> {
      await new Promise(() => undefined);
      yield new Uint8Array(1);
    }
    const putting = store.put("a", silent());
    putting.catch(() => undefined);
    await turn();
    await connection.close(10);
    await expect(putting).rejects.toMatchObject({ code: "closed" });
    expect(upload.abandoned).toBe(1);
  });
});

/** A version of so many chunks of one byte each; how far it was read, and whether it was left. */
function stubDownload(chunks: number, sha256?: string): BlobDownload & { asked: number; closed: number } {
  const content = new Uint8Array(chunks * blobChunkBytes);
  return {
    bytes: content.length,
    sha256: sha256 ?? sumOf(content),
    asked: 0,
    closed: 0,
    async read() {
      this.asked++;
      return this.asked > chunks ? undefined : new Uint8Array(blobChunkBytes);
    },
    close() {
      this.closed++;
    },
  };
}

describe("get", () => {
  const reading = async (download: BlobDownload): Promise<AsyncIterator<Uint8Array>> => {
    const { store } = await opened({ download: async () => download });
    return (await store.get("a"))![Symbol.asyncIterator]();
  };

  it("reads nothing before it is iterated, and no further ahead than the window", async () => {
    const download = stubDownload(100);
    const iterator = await reading(download);
    await turn();
    expect(download.asked).toBe(0);
    await iterator.next();
    for (let n = 0; n < 20; n++) await turn();
    expect(download.asked).toBe(blobWindow);
    await iterator.next();
    expect(download.asked).toBe(blobWindow + 1);
    await iterator.return?.();
    expect(download.closed).toBe(1);
  });

  it("does not ask for more chunks than there can be", async () => {
    const download = stubDownload(3);
    const iterator = await reading(download);
    while (!(await iterator.next()).done);
    expect([download.asked, download.closed]).toEqual([3, 1]);
  });

  it("hands over what completes a blob only once its sum is right", async () => {
    for (const chunks of [0, 1, 3]) {
      const download = stubDownload(chunks, "0".repeat(64));
      const iterator = await reading(download);
      let got = 0;
      const all = (async () => {
        while (!(await iterator.next()).done) got++;
      })();
      await expect(all).rejects.toMatchObject({ code: "codec", driver: "memory" });
      expect(got).toBe(Math.max(0, chunks - 1));
      expect(download.closed).toBe(1);
    }
  });

  it("of too few or too many bytes is damaged", async () => {
    for (const bytes of [blobChunkBytes, 3 * blobChunkBytes]) {
      const iterator = await reading({ ...stubDownload(2), bytes });
      const all = (async () => {
        while (!(await iterator.next()).done);
      })();
      await expect(all).rejects.toMatchObject({ code: "codec" });
    }
  });

  it("passes on why a read failed, in its turn", async () => {
    const download = stubDownload(10);
    const read = download.read.bind(download);
    download.read = () => (download.asked === 2 ? Promise.reject(new BusError("gap", "replaced")) : read());
    const iterator = await reading(download);
    expect((await iterator.next()).done).toBe(false);
    expect((await iterator.next()).done).toBe(false);
    await expect(iterator.next()).rejects.toMatchObject({ code: "gap" });
    expect(download.closed).toBe(1);
  });

  it("ends with the bus", async () => {
    const { store, connection } = await opened({ download: async () => stubDownload(100) });
    const iterator = (await store.get("a"))![Symbol.asyncIterator]();
    await iterator.next();
    await connection.close(0);
    await expect(iterator.next()).rejects.toMatchObject({ code: "closed" });
  });
});

describe("list", () => {
  it("goes on from page to page, and sorts as JavaScript does", async () => {
    const asked: unknown[] = [];
    const { store } = await opened({
      list: async (_, prefix, after) => {
        asked.push([prefix, after]);
        return after === undefined
          ? { blobs: [{ name: "\uffff", bytes: 1 }], next: "\uffff" }
          : { blobs: [{ name: "\u{1f389}", bytes: 2 }], next: undefined };
      },
    });
    expect((await store.list("p")).map(({ bytes: size }) => size)).toEqual([2, 1]);
    expect(asked).toEqual([
      ["p", undefined],
      ["p", "\uffff"],
    ]);
  });
});
