/** Bytes `start` to `end`, exclusive, of a file; or whatever an input that lists its own ranges means by them. */
export interface FileRange {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** What the input was called when the job was started. */
  readonly source?: string | undefined;
}

/**
 * Gets a record and where it begins. Done with the record when it returns; true when records have been taken for so long
 * that others of this thread (heartbeats, the signal) should get a turn before the next.
 */
export type TakeRecord = (raw: unknown, offset: number) => boolean;

/** A kind of input: how files are cut and how records are read out of a range. */
export interface Input<R> {
  readonly name: string;
  /** Where files may be cut: after a line's end, after a byte that belongs to no word, or nowhere. */
  readonly cut: "line" | "word" | "never";
  /** Gives every record of the range to `take`, in order; rejects with what `take` throws, and where the file cannot be read. */
  read(range: FileRange, take: TakeRecord, signal?: AbortSignal | undefined): Promise<void>;
  /** What map gets of what was read; undefined where that is no record. One on which it throws is a bad record, as if map had thrown. */
  record(raw: unknown): R | undefined;
  /** For inputs that are no files: what there is to read, instead of paths. */
  list?(): Promise<readonly FileRange[]>;
}

/** For inputs that read what map gets. */
export function asRead<R>(raw: unknown): R {
  return raw as R;
}
