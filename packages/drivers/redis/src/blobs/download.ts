import { type BlobDownload, BusError } from "@quadrant/contract";
import type { Argument } from "../resp/command-writer.ts";
import type { Reply } from "../resp/reply-reader.ts";

/** What a name stood for when it was asked. */
export interface BlobVersion {
  readonly name: string;
  readonly id: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly chunks: number;
}

/** One version, chunk by chunk. The server holds nothing for it. */
export class RedisDownload implements BlobDownload {
  readonly bytes: number;
  readonly sha256: string;
  readonly #version: BlobVersion;
  readonly #ask: (values: readonly Argument[]) => Promise<Reply>;
  #next = 0;

  constructor(version: BlobVersion, ask: (values: readonly Argument[]) => Promise<Reply>) {
    this.#version = version;
    this.#ask = ask;
    this.bytes = version.bytes;
    this.sha256 = version.sha256;
  }

  async read(): Promise<Uint8Array | undefined> {
    const { name, id, chunks } = this.#version;
    if (this.#next >= chunks) return undefined;
    const reply = await this.#ask([id, this.#next++, name]);
    if (Buffer.isBuffer(reply)) return reply;
    const blob = `blob ${JSON.stringify(name)}`;
    if (reply === 1) {
      throw new BusError("codec", `${blob} is damaged: a part of it is missing; put it again`, { driver: "redis" });
    }
    throw new BusError("gap", `${blob} was replaced or deleted while it was read: get it again`, { driver: "redis" });
  }

  close(): void {}
}
