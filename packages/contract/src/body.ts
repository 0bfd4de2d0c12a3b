import { type Codec, json, jsonText, jsonValue } from "./codec.ts";
import type { Envelope } from "./envelope.ts";
import { BusError } from "./errors.ts";

/** Encodes with the connection's codec, decodes by the content type that came along. One a connection. */
export class Bodies {
  readonly codec: Codec;
  readonly maxPayloadBytes: number;
  readonly #byType = new Map<string, Codec>();

  constructor(codec: Codec, known: readonly Codec[], maxPayloadBytes: number) {
    this.codec = codec;
    this.maxPayloadBytes = maxPayloadBytes;
    for (const each of known) this.#byType.set(each.contentType, each);
    this.#byType.set(codec.contentType, codec);
  }

  /** Throws "codec" or "too-large". */
  encode(value: unknown): Uint8Array {
    let body: Uint8Array;
    try {
      body = this.codec.encode(value);
    } catch (cause) {
      if (cause instanceof BusError) throw cause;
      throw new BusError("codec", `the codec ${this.codec.contentType} cannot carry this value: ${String(cause)}`, {
        cause,
      });
    }
    if (body.length > this.maxPayloadBytes) throw this.#tooLarge(body.length);
    return body;
  }

  /** As `encode`, of a codec that makes texts: what is kept in this process need not become bytes. undefined: no such codec. */
  encodeText(value: unknown): string | undefined {
    if (this.codec !== json) return undefined;
    const text = jsonText(value);
    // Up to three bytes for each unit of a text.
    if (text.length * 3 > this.maxPayloadBytes) {
      const bytes = Buffer.byteLength(text);
      if (bytes > this.maxPayloadBytes) throw this.#tooLarge(bytes);
    }
    return text;
  }

  #tooLarge(bytes: number): BusError {
    return new BusError("too-large", `a body of ${bytes} bytes: at most ${this.maxPayloadBytes} (maxPayloadBytes)`);
  }

  /** As `decode`, from the text where that is at hand. */
  decodeEnvelope(envelope: Pick<Envelope, "contentType" | "text" | "body">): unknown {
    const { contentType, text } = envelope;
    if (text !== undefined && this.#codecOf(contentType) === json) return jsonValue(text);
    return this.decode(contentType, envelope.body);
  }

  #codecOf(contentType: string): Codec {
    const { codec } = this;
    return codec.contentType === contentType ? codec : (this.#byType.get(contentType) ?? codec);
  }

  /** Throws "codec". An unknown content type is read with the connection's codec. */
  decode(contentType: string, body: Uint8Array): unknown {
    const codec = this.#codecOf(contentType);
    try {
      return codec.decode(body);
    } catch (cause) {
      if (cause instanceof BusError) throw cause;
      throw new BusError("codec", `the codec ${codec.contentType} cannot read these ${body.length} bytes`, { cause });
    }
  }
}
