import { BusError, checkBlobName, checkBlobPrefix, checkToken } from "@quadrant/contract";
import { Operation } from "../../wire/operation.ts";
import type { Values } from "../../wire/values.ts";
import type { HubOperation } from "../operations.ts";

const sum = /^[0-9a-f]{64}$/;

function store(values: Values): string {
  const name = values.string(0);
  checkToken("blob store", name);
  return name;
}

function blob(values: Values): string {
  const name = values.string(1);
  checkBlobName(name);
  return name;
}

function plain(run: HubOperation["run"]): HubOperation {
  return { waits: false, captures: false, run };
}

const nothing = { values: [] };

/** Blob stores. Each value list begins with the store. */
export const blobOperations: readonly (readonly [number, HubOperation])[] = [
  [
    // [store]
    Operation.blobsOpen,
    plain(async ({ blobs }, values, _, { again }) => {
      if (again && blobs.table.isDestroyed(store(values))) {
        throw new BusError("conflict", `the blob store ${store(values)} was destroyed: open it again to make it anew`);
      }
      await blobs.table.open(store(values));
      return nothing;
    }),
  ],
  [
    // [store, name, upload]
    Operation.blobUpload,
    plain(async ({ blobs }, values) => {
      await blobs.begin(store(values), blob(values), values.u32(2));
      return nothing;
    }),
  ],
  [
    // [store, upload, chunk]
    Operation.blobWrite,
    plain(async ({ blobs }, values) => {
      await blobs.write(store(values), values.u32(1), values.bytes(2));
      return nothing;
    }),
  ],
  [
    // [store, upload, sha256]
    Operation.blobCommit,
    plain(async ({ blobs }, values) => {
      const sha256 = values.string(2);
      if (!sum.test(sha256)) throw new BusError("invalid", "malformed request: no SHA-256 in hexadecimal");
      await blobs.commit(store(values), values.u32(1), sha256);
      return nothing;
    }),
  ],
  [
    // [store, upload]
    Operation.blobAbandon,
    plain(async ({ blobs }, values) => {
      await blobs.abandon(values.u32(1));
      return nothing;
    }),
  ],
  [
    // [store, name] → [bytes, sha256, version] or []
    Operation.blobFind,
    plain(async ({ blobs }, values) => {
      const found = await blobs.table.find(store(values), blob(values));
      return { values: found === undefined ? [] : [found.bytes, found.sha256, found.version] };
    }),
  ],
  [
    // [store, name, version, offset] → [chunk]
    Operation.blobRead,
    plain(async ({ blobs }, values) => ({
      values: [await blobs.read(store(values), blob(values), values.string(2), values.number(3))],
    })),
  ],
  [
    // [store, name] → [deleted]
    Operation.blobDelete,
    plain(async ({ blobs }, values) => ({ values: [await blobs.table.delete(store(values), blob(values))] })),
  ],
  [
    // [store, prefix, after?] → [[name, bytes]…, next?]
    Operation.blobList,
    plain(async ({ blobs }, values) => {
      const [prefix, after] = [values.string(1), values.optionalString(2)];
      checkBlobPrefix(prefix);
      const page = await blobs.table.list(store(values), prefix, after);
      return { values: [page.blobs.map(({ name, bytes }) => [name, bytes]), page.next ?? null] };
    }),
  ],
  [
    // [store]
    Operation.blobsDestroy,
    plain(async ({ blobs }, values) => {
      await blobs.table.destroy(store(values));
      return nothing;
    }),
  ],
];
