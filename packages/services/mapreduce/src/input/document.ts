import { type FileHandle, open, readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { BusError } from "@quadrant/bus";

/** A file whose words are to be counted. */
export interface Document {
  readonly path: string;
  readonly bytes: number;
}

/** A file or folder that could not be read, or not to its end. */
export interface Unread {
  readonly path: string;
  readonly message: string;
}

export interface Listing {
  /** By path. Every file once, also where the folders given overlap. */
  readonly documents: readonly Document[];
  /** Files left out because they are no text. */
  readonly binary: number;
  readonly unread: readonly Unread[];
}

export interface ListOptions {
  /** Only files whose names end so, such as `.md`; they count as text whatever they hold. Without it, see `listDocuments`. */
  readonly endings?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A file is text when its first so many bytes hold no NUL: the rule of git and grep. */
const sniffedBytes = 8_192;
/** How many files and folders are looked at together. */
const lanes = 16;

/**
 * Every text file below the folders, hidden ones included; symbolic links are not followed, so nothing is counted twice
 * or from elsewhere. A file that is named itself is taken as it is. "invalid" where a folder does not exist; what cannot
 * be read below one is listed in `unread`.
 */
export async function listDocuments(folders: readonly string[], options: ListOptions = {}): Promise<Listing> {
  const search = new Search(options);
  for (const folder of folders) await search.begin(folder);
  await search.run();
  return search.listing();
}

class Search {
  readonly #options: ListOptions;
  readonly #found = new Map<string, Document>();
  readonly #unread: Unread[] = [];
  readonly #waiting: (() => Promise<void>)[] = [];
  #binary = 0;

  constructor(options: ListOptions) {
    this.#options = options;
  }

  async begin(given: string): Promise<void> {
    try {
      const path = await realpath(given);
      const found = await stat(path);
      if (found.isDirectory()) this.#waiting.push(() => this.#folder(path));
      else if (found.isFile()) this.#found.set(path, { path, bytes: found.size });
      else throw new BusError("invalid", `${given} is neither a file nor a folder`);
    } catch (error) {
      if (error instanceof BusError) throw error;
      throw new BusError("invalid", `${given} cannot be read (${messageOf(error)}): give a folder that exists`, {
        cause: error,
      });
    }
  }

  /** Works off what waits, `lanes` at a time. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      let busy = 0;
      const next = (): void => {
        if (this.#options.signal?.aborted) {
          reject(new BusError("aborted", "listing the documents was aborted", { cause: this.#options.signal.reason }));
          return;
        }
        if (busy === 0 && this.#waiting.length === 0) resolve();
        while (busy < lanes && this.#waiting.length > 0) {
          busy++;
          // Neither a folder nor a file rejects: what fails is noted.
          void this.#waiting.pop()!().then(() => {
            busy--;
            next();
          });
        }
      };
      next();
    });
  }

  listing(): Listing {
    const documents = [...this.#found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    return { documents, binary: this.#binary, unread: this.#unread };
  }

  async #folder(folder: string): Promise<void> {
    try {
      for (const entry of await readdir(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) this.#waiting.push(() => this.#folder(path));
        else if (entry.isFile() && this.#isWanted(entry.name)) this.#waiting.push(() => this.#file(path));
      }
    } catch (error) {
      this.#unread.push({ path: folder, message: messageOf(error) });
    }
  }

  #isWanted(name: string): boolean {
    return this.#options.endings?.some((ending) => name.endsWith(ending)) ?? true;
  }

  async #file(path: string): Promise<void> {
    let file: FileHandle | undefined;
    try {
      file = await open(path);
      const { size } = await file.stat();
      if (this.#options.endings === undefined && !(await isText(file))) this.#binary++;
      else this.#found.set(path, { path, bytes: size });
    } catch (error) {
      this.#unread.push({ path, message: messageOf(error) });
    } finally {
      await file?.close();
    }
  }
}

async function isText(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(sniffedBytes), 0, sniffedBytes, 0);
  return !buffer.subarray(0, bytesRead).includes(0);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
