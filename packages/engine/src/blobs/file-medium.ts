import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { SqliteSync } from "../journal-order.ts";
import type { BlobDraft, BlobMedium, BlobShelf, RecoveredBlobs, RecoveredShelf } from "./blob-medium.ts";
import { FileContent } from "./file-content.ts";
import { FileDraft } from "./file-draft.ts";
import { FileSetting, hashOf } from "./file-setting.ts";

/** Holds the name of the store whose folder it is in, or was. */
const nameFile = "name";
const destroyedFile = "destroyed";
const draftFile = /^draft-/;
/** How many files are looked at at once when a folder is opened. */
const readAtOnce = 64;
/** The hash of the blob's name, and a number that rises. */
const contentFile = /^([0-9a-f]{32})-([0-9a-f]{12})$/;

/**
 * Blobs in a folder beside the journal, whose lock sees to it that one process uses it. A store has a folder, a version a
 * file that is written under another name, synchronised as `sync` says, and renamed.
 */
export class FileMedium implements BlobMedium {
  readonly #folder: string;
  readonly #setting: FileSetting;

  /** `folder`: the journal's. */
  constructor(folder: string, sync: SqliteSync, driver: string) {
    this.#folder = join(folder, "blobs");
    this.#setting = new FileSetting(sync, driver);
  }

  async recover(): Promise<RecoveredBlobs> {
    const found: Recovery = { shelves: [], destroyed: [] };
    try {
      const folders = existsSync(this.#folder) ? await readdir(this.#folder, { withFileTypes: true }) : [];
      for (const each of folders)
        if (each.isDirectory()) await this.#recoverFolder(join(this.#folder, each.name), found);
      return found;
    } catch (cause) {
      throw this.#setting.fault(`the blobs in ${this.#folder}`, cause);
    }
  }

  async make(store: string): Promise<BlobShelf> {
    const folder = join(this.#folder, hashOf(store));
    try {
      await mkdir(folder, { recursive: true });
      const draft = await open(join(folder, `draft-${nameFile}`), "w");
      try {
        await draft.writeFile(store);
        await this.#setting.flush(draft);
      } finally {
        await draft.close();
      }
      await rename(join(folder, `draft-${nameFile}`), join(folder, nameFile));
      await rm(join(folder, destroyedFile), { force: true });
      await this.#setting.flushFolder(folder);
      await this.#setting.flushFolder(this.#folder);
    } catch (cause) {
      throw this.#setting.fault(`making the blob store ${store}`, cause);
    }
    return new FolderShelf(this.#setting, folder);
  }

  async forget(store: string): Promise<void> {
    await rm(join(this.#folder, hashOf(store)), { recursive: true, force: true }).catch(() => undefined);
  }

  describe(): Readonly<Record<string, number>> {
    return {};
  }

  async #recoverFolder(folder: string, found: Recovery): Promise<void> {
    const files = await readdir(folder);
    if (files.includes(nameFile)) {
      const store = await readFile(join(folder, nameFile), "utf8");
      const contents = await this.#recoverContents(folder, files);
      found.shelves.push({ store, shelf: new FolderShelf(this.#setting, folder), contents });
    } else if (files.includes(destroyedFile)) {
      found.destroyed.push(await readFile(join(folder, destroyedFile), "utf8"));
      await removeOthers(folder);
    } else {
      // It was being made.
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #recoverContents(folder: string, files: readonly string[]): Promise<readonly FileContent[]> {
    const found = new Map<string, FileContent>();
    const sorted = files.toSorted();
    for (const file of sorted) if (draftFile.test(file)) await rm(join(folder, file), { force: true });
    const contentFiles = sorted.filter((file) => contentFile.test(file));
    for (let at = 0; at < contentFiles.length; at += readAtOnce) {
      const some = contentFiles.slice(at, at + readAtOnce);
      const contents = await Promise.all(some.map((file) => FileContent.recover(this.#setting, folder, file)));
      for (const content of contents) if (content !== undefined) await keepNewest(found, content);
    }
    for (const file of contentFiles) this.#setting.foundSerial(contentFile.exec(file)![2]!);
    return [...found.values()];
  }
}

/** Of two versions of a name the later counts, which comes later, unless it is the one that is damaged; the other goes. */
async function keepNewest(found: Map<string, FileContent>, content: FileContent): Promise<void> {
  const other = found.get(content.name);
  const [kept, superseded] = other?.sound && !content.sound ? [other, content] : [content, other];
  found.set(kept.name, kept);
  await superseded?.remove();
}

/** What was found so far. */
interface Recovery {
  readonly shelves: RecoveredShelf[];
  readonly destroyed: string[];
}

/** Everything but what says that the store was destroyed. */
async function removeOthers(folder: string): Promise<void> {
  for (const file of await readdir(folder)) if (file !== destroyedFile) await rm(join(folder, file), { force: true });
}

class FolderShelf implements BlobShelf {
  readonly #setting: FileSetting;
  readonly #folder: string;

  constructor(setting: FileSetting, folder: string) {
    this.#setting = setting;
    this.#folder = folder;
  }

  async draft(name: string): Promise<BlobDraft> {
    return new FileDraft(this.#setting, this.#folder, name);
  }

  async remove(): Promise<void> {
    try {
      // From here on it is none: a crash is made good by the next opening.
      await rename(join(this.#folder, nameFile), join(this.#folder, destroyedFile));
      await this.#setting.flushFolder(this.#folder);
      await removeOthers(this.#folder);
    } catch (cause) {
      throw this.#setting.fault("destroying a blob store", cause);
    }
  }
}
