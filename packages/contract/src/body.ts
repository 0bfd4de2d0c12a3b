import type { Codec } from "./codec.ts";
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
    if (body.length > this.maxPayloadBytes) {
      throw new BusError(
        "too-large",
        `a body of ${body.length} bytes: at most ${this.maxPayloadBytes} (maxPayloadBytes)`,
      );
    }
    return body;
  }

  /** Throws "codec". An unknown content type is read with the connection's codec. */
  decode(contentType: string, body: Uint8Array): unknown {
    const codec = this.#byType.get(contentType) ?? this.codec;
    try {
      return codec.decode(body);
    } catch (cause) {
      if (cause instanceof BusError) throw cause;
      throw new BusError("codec", `the codec ${codec.contentType} cannot read these ${body.length} bytes`, { cause });
    }
  }
}
