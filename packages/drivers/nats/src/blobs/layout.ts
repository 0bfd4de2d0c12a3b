/**
 * An object store as ADR-20 of NATS has it and every client of NATS knows it: a stream `OBJ_BUCKET`, the chunks of a version
 * on `$O.BUCKET.C.NUID`, and what is said of a name in one message on `$O.BUCKET.M.NAME`, which replaces the one before.
 */
import { blobChunkBytes } from "@quadrant/contract";
import { failed } from "../failure.ts";
import type { StreamConfig } from "../jetstream.ts";
import { tokenOf } from "../token.ts";

export const objectSubjects = "$O.>";
const streamPrefix = "OBJ_";

export const objectStream = (store: string): string => `${streamPrefix}${tokenOf(store)}`;
export const tokenOfObjectStream = (stream: string): string => stream.slice(streamPrefix.length);
export const isObjectStream = (stream: string): boolean => stream.startsWith(streamPrefix);

export const chunkSubject = (store: string, nuid: string): string => `$O.${tokenOf(store)}.C.${nuid}`;

const metaPrefix = (store: string): string => `$O.${tokenOf(store)}.M.`;
export const metaSubjects = (store: string): string => `${metaPrefix(store)}>`;

function padded(base64: string): string {
  return base64.padEnd(Math.ceil(base64.length / 4) * 4, "=");
}

export const metaSubject = (store: string, name: string): string =>
  `${metaPrefix(store)}${padded(Buffer.from(name).toString("base64url"))}`;

export function nameOfSubject(store: string, subject: string): string {
  return Buffer.from(subject.slice(metaPrefix(store).length), "base64url").toString("utf8");
}

/** A name that is only a digest in the stream's is told by its description. */
export function objectConfig(store: string, replicas: number): StreamConfig {
  return {
    name: objectStream(store),
    ...(tokenOf(store) === store ? undefined : { description: store }),
    subjects: [`$O.${tokenOf(store)}.C.>`, metaSubjects(store)],
    retention: "limits",
    discard: "new",
    storage: "file",
    num_replicas: replicas,
    allow_rollup_hdrs: true,
    allow_direct: true,
  };
}

/** What is said of an object, in the words of ADR-20. */
interface ObjectInfo {
  readonly name: string;
  readonly bucket: string;
  readonly nuid: string;
  readonly size: number;
  readonly chunks: number;
  readonly digest: string;
  readonly mtime: string;
  readonly deleted?: boolean;
  readonly options?: { readonly max_chunk_size?: number; readonly link?: unknown };
}

/** As far as this driver needs it. */
export interface StoredObject {
  readonly name: string;
  readonly nuid: string;
  readonly bytes: number;
  readonly chunks: number;
  /** In lower-case hexadecimal. */
  readonly sha256: string;
  readonly deleted: boolean;
}

export function encodeObject(store: string, object: StoredObject): Buffer {
  const info: ObjectInfo = {
    name: object.name,
    options: { max_chunk_size: blobChunkBytes },
    bucket: tokenOf(store),
    nuid: object.nuid,
    size: object.bytes,
    mtime: new Date().toISOString(),
    chunks: object.chunks,
    digest: object.deleted ? "" : `SHA-256=${padded(Buffer.from(object.sha256, "hex").toString("base64url"))}`,
    ...(object.deleted ? { deleted: true } : undefined),
  };
  return Buffer.from(JSON.stringify(info));
}

/** Throws "codec" for what cannot be read, "unsupported" for a link to an object elsewhere. */
export function decodeObject(what: string, body: Uint8Array): StoredObject {
  let info: ObjectInfo;
  try {
    info = JSON.parse(Buffer.from(body).toString("utf8")) as ObjectInfo;
  } catch (cause) {
    throw failed("codec", `${what}: what is stored about it is no JSON`, cause);
  }
  if (info.options?.link !== undefined) {
    throw failed("unsupported", `${what} is a link, made by another client of NATS: read what it points to`);
  }
  const digest = /^SHA-256=([\w-]+=*)$/i.exec(info.digest ?? "")?.[1];
  return {
    name: info.name,
    nuid: info.nuid,
    bytes: info.size ?? 0,
    chunks: info.chunks ?? 0,
    sha256: digest === undefined ? "" : Buffer.from(digest, "base64url").toString("hex"),
    deleted: info.deleted === true,
  };
}
