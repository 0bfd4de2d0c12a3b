import type { ByteWriter } from "../job/byte-writer.ts";

/** How results are written into a part: one after another. */
export interface OutputFormat<Out> {
  readonly name: string;
  /** Written first into every part. */
  readonly head?: string | undefined;
  write(out: Out, into: ByteWriter): void;
}
