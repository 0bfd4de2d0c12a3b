/**
 * Where task outputs are kept until somebody fetches them: a shared folder, or the bus's blobs. Names are of letters,
 * digits, dots and hyphens. What is put under a name that is taken takes its place, as a whole.
 */
export interface RunStore {
  /** Resolves once everything is kept; when it rejects nothing is, under that name. */
  put(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** undefined where there is none of that name. */
  get(name: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** False where there was none. */
  remove(name: string): Promise<boolean>;
  /** For stores whose content lies in files that this process can open: the path, which need not exist. */
  pathOf?(name: string): string;
}

/** What travels instead of pairs: where a sorted run of them is. */
export interface RunReference {
  readonly name: string;
  /** Which map task made it. */
  readonly map: number;
  readonly partition: number;
  /** As stored. */
  readonly bytes: number;
  readonly records: number;
}
