/** Where the bytes of blobs are: the port that a table of blob stores stands on. */

/** One version of a blob, whole. */
export interface BlobContent {
  readonly name: string;
  readonly bytes: number;
  /** In lower-case hexadecimal. */
  readonly sha256: string;
  /** Names this version and no other, also after a restart of what outlives one. */
  readonly version: string;
  /** The bytes from `offset` on, at most `length`, at least one. "codec" where they are damaged. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Gives its room back. */
  remove(): Promise<void>;
}

/** A version that is being written. Each method is called when the one before has resolved, but `write`. */
export interface BlobDraft {
  /** In order; several may be under way. Takes the bytes as they are. "overflow", "too-large". */
  write(chunk: Uint8Array): Promise<void>;
  /** As stable as the medium makes it. */
  keep(sha256: string): Promise<BlobContent>;
  /** Idempotent; never rejects. */
  discard(): Promise<void>;
}

/** The part of a medium that one store has. */
export interface BlobShelf {
  draft(name: string): Promise<BlobDraft>;
  /** With everything on it; that it was there is remembered. */
  remove(): Promise<void>;
}

export interface RecoveredShelf {
  readonly store: string;
  readonly shelf: BlobShelf;
  readonly contents: readonly BlobContent[];
}

export interface RecoveredBlobs {
  readonly shelves: readonly RecoveredShelf[];
  /** Stores that were destroyed and not made again. */
  readonly destroyed: readonly string[];
}

export interface BlobMedium {
  /** What an earlier process has left; what was being written then is removed. */
  recover(): Promise<RecoveredBlobs>;
  make(store: string): Promise<BlobShelf>;
  /** That the store was destroyed need not be known any more. */
  forget(store: string): Promise<void>;
  /** For `quadrant info`. */
  describe(): Readonly<Record<string, number>>;
}
