import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { BusError } from "@quadrant/contract";
import { mostHeaderBytes, readHeader, readTrailer, trailerBytes } from "./blob-file.ts";
import type { BlobContent } from "./blob-medium.ts";
import { type FileSetting, hashOf } from "./file-setting.ts";

/** What a file of a blob holds. */
export interface Written {
  readonly name: string;
  /** Where the bytes begin. */
  readonly at: number;
  readonly bytes: number;
  /** "" where it is damaged. */
  readonly sha256: string;
}

/** A file of a blob. */
export class FileContent implements BlobContent {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly version: string;
  readonly #setting: FileSetting;
  readonly #folder: string;
  readonly #at: number;

  constructor(setting: FileSetting, folder: string, file: string, { name, at, bytes, sha256 }: Written) {
    this.#setting = setting;
    this.#folder = folder;
    this.#at = at;
    this.version = file;
    this.name = name;
    this.bytes = bytes;
    this.sha256 = sha256;
  }

  /** undefined where the file cannot be told for whose it is: it is left alone. */
  static async recover(setting: FileSetting, folder: string, file: string): Promise<FileContent | undefined> {
    const handle = await open(join(folder, file), "r");
    try {
      const { size } = await handle.stat();
      const header = readHeader(await readAt(handle, 0, Math.min(size, mostHeaderBytes)));
      if (header === undefined || !file.startsWith(hashOf(header.name))) return undefined;
      const bytes = Math.max(0, size - header.at - trailerBytes);
      const sha256 = readTrailer(await readAt(handle, header.at + bytes, trailerBytes), bytes) ?? "";
      return new FileContent(setting, folder, file, { ...header, bytes, sha256 });
    } finally {
      await handle.close();
    }
  }

  get sound(): boolean {
    return this.sha256 !== "";
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const wanted = Math.min(length, this.bytes - offset);
    try {
      const file = await open(join(this.#folder, this.version), "r");
      try {
        const chunk = await readAt(file, this.#at + offset, wanted);
        if (chunk.length === wanted) return chunk;
      } finally {
        await file.close();
      }
    } catch (cause) {
      throw this.#setting.fault(`reading blob ${JSON.stringify(this.name)}`, cause);
    }
    const message = `blob ${JSON.stringify(this.name)} is damaged: its file has become shorter; put it again`;
    throw new BusError("codec", message, { driver: this.#setting.driver });
  }

  async remove(): Promise<void> {
    try {
      await rm(join(this.#folder, this.version), { force: true });
      await this.#setting.flushFolder(this.#folder);
    } catch (cause) {
      throw this.#setting.fault(`removing blob ${JSON.stringify(this.name)}`, cause);
    }
  }
}

/** Fewer where the file ends. */
async function readAt(file: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const chunk = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(chunk, filled, length - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return chunk.subarray(0, filled);
}
