import { BusError } from "@quadrant/contract";
import { BlobTable, Engine, FileMedium, MemoryMedium, SqliteJournal, type SqliteSync } from "@quadrant/engine";

/** A connection's part in an engine. */
export interface JoinedEngine {
  readonly engine: Engine;
  readonly blobs: BlobTable;
  /** To be called once. Of the last to leave, over when the engine is closed and what it keeps is in its file. Never rejects. */
  leave(): Promise<void>;
}

/** What the connections to one place have in common. */
interface Parts {
  readonly engine: Engine;
  readonly blobs: BlobTable;
}

interface Shared extends Parts {
  users: number;
}

/** The named engines of this process, each as long as it is used. */
const engines = new Map<string, Shared>();

/** The engine of that name, or a new one that nobody else gets for "". The last one that leaves closes it. */
export function joinEngine(name: string): JoinedEngine {
  const shared = engines.get(name) ?? {
    engine: new Engine({ driver: "memory" }),
    blobs: BlobTable.empty(new MemoryMedium("memory"), "memory"),
    users: 0,
  };
  if (name !== "") engines.set(name, shared);
  shared.users++;
  return {
    engine: shared.engine,
    blobs: shared.blobs,
    leave: async () => {
      if (--shared.users > 0) return;
      if (engines.get(name) === shared) engines.delete(name);
      await shared.blobs.close();
      await shared.engine.close();
    },
  };
}

/** How an engine that is kept in a folder is to be opened. */
export interface FileEngineOptions {
  readonly sync: SqliteSync;
  readonly timeoutMs: number;
  readonly requestTimeoutMs: number;
}

interface SharedFile {
  readonly sync: SqliteSync;
  readonly parts: Promise<Parts>;
  users: number;
  /** Set while the last one leaves. */
  closing: Promise<void> | undefined;
}

/** The folders that this process holds. */
const files = new Map<string, SharedFile>();

/**
 * The engine that is kept in a folder, shared by the connections of this process. Rejects with "unavailable" where another
 * process holds it or its file is damaged, "conflict" where it is open with another `sync`.
 */
export async function joinFileEngine(folder: string, options: FileEngineOptions): Promise<JoinedEngine> {
  for (let closing = files.get(folder)?.closing; closing !== undefined; closing = files.get(folder)?.closing) {
    await closing;
  }
  const shared = files.get(folder) ?? openFile(folder, options);
  if (shared.sync !== options.sync) {
    const message = `${folder} is open in this process with sync=${shared.sync}: use the same, or close that connection first`;
    throw new BusError("conflict", message, { driver: "file" });
  }
  shared.users++;
  try {
    return { ...(await shared.parts), leave: () => leaveFile(folder, shared) };
  } catch (error) {
    if (files.get(folder) === shared) files.delete(folder);
    throw error;
  }
}

function openFile(folder: string, options: FileEngineOptions): SharedFile {
  const shared: SharedFile = { sync: options.sync, parts: recover(folder, options), users: 0, closing: undefined };
  files.set(folder, shared);
  return shared;
}

async function recover(folder: string, { sync, timeoutMs, requestTimeoutMs }: FileEngineOptions): Promise<Parts> {
  const journal = await SqliteJournal.open({ folder, sync, timeoutMs, driver: "file", inLoop: true });
  try {
    // What is wrong with the blobs is told before the journal is taken over.
    const blobs = await BlobTable.recover(new FileMedium(folder, sync, "file"), "file");
    return { engine: await Engine.recover(journal, { driver: "file", commitTimeoutMs: requestTimeoutMs }), blobs };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

async function leaveFile(folder: string, shared: SharedFile): Promise<void> {
  if (--shared.users > 0) return;
  shared.closing = shared.parts
    // The journal last: its lock is that of the blobs, too.
    .then(({ engine, blobs }) => blobs.close().then(() => engine.close()))
    .then(() => void files.delete(folder));
  await shared.closing;
}
