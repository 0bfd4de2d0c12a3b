import type { Headers } from "./headers.ts";

/**
 * What a driver carries: opaque bytes with a name, headers and the media type that the sender's codec gave them.
 * The receiver of an envelope does not change it; its body may be a view into a larger buffer.
 */
export interface Envelope {
  readonly subject: string;
  readonly headers: Headers;
  /** "" where the sender gave none. */
  readonly contentType: string;
  readonly body: Uint8Array;
  /**
   * The same as a text, in UTF-8, where it was made from one in this process: who has a use for it need not look at `body`,
   * which may be made only then.
   */
  readonly text?: string | undefined;
}
