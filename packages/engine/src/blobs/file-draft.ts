import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { BusError } from "@quadrant/contract";
import { encodeHeader, encodeTrailer } from "./blob-file.ts";
import type { BlobContent, BlobDraft } from "./blob-medium.ts";
import { FileContent } from "./file-content.ts";
import { type FileSetting, hashOf } from "./file-setting.ts";

/** So much is written, and on stable storage, before there is looked for room for as much again: keeping a large one takes no long time. */
const flushBytes = 8 * 1024 * 1024;

/** A file that is opened with the first of its bytes, or when it is kept without any. */
export class FileDraft implements BlobDraft {
  readonly #setting: FileSetting;
  readonly #folder: string;
  readonly #name: string;
  readonly #serial: string;
  readonly #path: string;
  readonly #what: string;
  readonly #header: Buffer;
  #file: Promise<FileHandle> | undefined;
  #bytes = 0;
  #over = false;
  #discarded: Promise<void> = Promise.resolve();

  constructor(setting: FileSetting, folder: string, name: string) {
    this.#setting = setting;
    this.#folder = folder;
    this.#name = name;
    this.#serial = setting.nextSerial();
    this.#path = join(folder, `draft-${this.#serial}`);
    this.#what = `putting blob ${JSON.stringify(name)}`;
    this.#header = encodeHeader(name);
  }

  async write(chunk: Uint8Array): Promise<void> {
    const at = this.#header.length + this.#bytes;
    const before = Math.ceil(this.#bytes / flushBytes);
    this.#bytes += chunk.length;
    const begins = Math.ceil(this.#bytes / flushBytes) > before;
    try {
      if (begins) await this.#setting.assertRoom(this.#folder, flushBytes, this.#what);
      const file = await this.#opened();
      await writeAll(file, chunk, at);
      if (begins && at > this.#header.length) await this.#setting.flush(file);
    } catch (cause) {
      throw this.#setting.fault(this.#what, cause);
    }
  }

  async keep(sha256: string): Promise<BlobContent> {
    const file = `${hashOf(this.#name)}-${this.#serial}`;
    try {
      const draft = await this.#opened();
      await writeAll(draft, this.#header, 0);
      await writeAll(draft, encodeTrailer(sha256, this.#bytes), this.#header.length + this.#bytes);
      await this.#setting.flush(draft);
      this.#over = true;
      await draft.close();
      await rename(this.#path, join(this.#folder, file));
      await this.#setting.flushFolder(this.#folder);
    } catch (cause) {
      for (const path of [this.#path, join(this.#folder, file)]) await rm(path, { force: true }).catch(() => undefined);
      throw this.#setting.fault(this.#what, cause);
    }
    const { length } = this.#header;
    return new FileContent(this.#setting, this.#folder, file, {
      name: this.#name,
      at: length,
      bytes: this.#bytes,
      sha256,
    });
  }

  discard(): Promise<void> {
    if (!this.#over) this.#discarded = this.#remove();
    return this.#discarded;
  }

  async #remove(): Promise<void> {
    this.#over = true;
    try {
      await (await this.#file)?.close();
      if (this.#file !== undefined) await rm(this.#path, { force: true });
    } catch {
      // What cannot be removed now is when the folder is opened again.
    }
  }

  #opened(): Promise<FileHandle> {
    if (this.#over) throw new BusError("closed", `${this.#what} is over`, { driver: this.#setting.driver });
    this.#file ??= open(this.#path, "wx", 0o600);
    return this.#file;
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, at + written);
    written += bytesWritten;
  }
}
