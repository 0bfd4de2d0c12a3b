import type { QueueLetter } from "@quadrant/contract";
import type { Postage } from "./postage.ts";

/** A letter that stays in this process: its body becomes bytes only where somebody looks at them. */
export class TextLetter implements QueueLetter {
  readonly id: string;
  readonly dedupe: boolean;
  readonly headers: QueueLetter["headers"];
  readonly contentType: string;
  readonly text: string;
  readonly delayMs: number | undefined;
  readonly ttlMs: number | undefined;
  readonly key: string | undefined;

  constructor(id: string, dedupe: boolean, contentType: string, text: string, postage: Postage) {
    this.id = id;
    this.dedupe = dedupe;
    this.headers = postage.headers;
    this.contentType = contentType;
    this.text = text;
    this.delayMs = postage.delayMs;
    this.ttlMs = postage.ttlMs;
    this.key = postage.key;
  }

  get body(): Uint8Array {
    return Buffer.from(this.text);
  }
}
