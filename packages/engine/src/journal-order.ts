import type { BusErrorCode } from "@quadrant/contract";

/** When a commit counts: on stable storage, in the operating system's hands at least, or whenever that pleases. */
export type SqliteSync = "full" | "normal" | "off";

export interface SqliteJournalOptions {
  /** A folder, made where there is none. */
  readonly folder: string;
  readonly sync: SqliteSync;
  /** How long to wait for another process to let go of it. */
  readonly timeoutMs: number;
  readonly driver?: string | undefined;
  /**
   * Whether small commits may be written from the event loop itself as long as the disk is quick, a fraction of a
   * millisecond each: not where others wait for the loop who want nothing from the disk. Default false.
   */
  readonly inLoop?: boolean | undefined;
}

/** What the thread of a journal is told. */
export type JournalOrder =
  | { readonly kind: "open"; readonly options: SqliteJournalOptions }
  | { readonly kind: "load" }
  | { readonly kind: "commit"; readonly changes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "tail" }
  | { readonly kind: "apply"; readonly index: 0 | 1; readonly bytes: number; readonly clear: boolean }
  /** It may open another one then. */
  | { readonly kind: "close"; readonly keepTail: boolean }
  | { readonly kind: "end" };

/** What the thread says, in answer to each order but `end`. */
export type JournalAnswer =
  /** Of a load: more is there. */
  | { readonly kind: "rows"; readonly rows: Uint8Array<ArrayBuffer> }
  | { readonly kind: "done"; readonly freeBytes: number }
  /** Of `tail` and `apply`: how large a file of it is. */
  | { readonly kind: "tail"; readonly bytes: number }
  /** Of `apply`: the database has no room for it. */
  | { readonly kind: "full" }
  | { readonly kind: "refused"; readonly changes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "failed"; readonly code: BusErrorCode; readonly message: string };
