import type { Envelope } from "./envelope.ts";
import type { Headers } from "./headers.ts";

/** An envelope whose body was made from a text: it becomes bytes where somebody looks at them, or in the packet itself. */
export class TextEnvelope implements Envelope {
  readonly subject: string;
  readonly headers: Headers;
  readonly contentType: string;
  readonly text: string;
  #body: Uint8Array | undefined;

  constructor(subject: string, headers: Headers, contentType: string, text: string) {
    this.subject = subject;
    this.headers = headers;
    this.contentType = contentType;
    this.text = text;
  }

  get body(): Uint8Array {
    this.#body ??= Buffer.from(this.text);
    return this.#body;
  }
}
