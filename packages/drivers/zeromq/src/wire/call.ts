/** Calls and their replies, both ways, and as the hub passes them on. */
import { BusError, type CallRequest, type Headers, type ReplyFrame } from "@quadrant/contract";
import type { Batch } from "./batch.ts";
import { Reader } from "./reader.ts";
import { headersOf } from "./values.ts";

/**
 * A call keeps the packet that it came in until it is answered, where that is no larger: a copy would keep as much, since
 * small buffers share a pool of this size.
 */
const pinnedBytes = Buffer.poolSize;

/** f64 timeoutMs | u32 credit | text address | text method | media type | headers | body to the end */
export function writeCall(batch: Batch, request: CallRequest): Batch {
  if (request instanceof WireCall) return request.writeTo(batch);
  const { address, method, headers, contentType, text, timeoutMs, credit } = request;
  batch.f64(timeoutMs).u32(credit).text(address).text(method).mediaType(contentType).headers(headers);
  return text === undefined ? batch.bytes(request.body) : batch.lastText(text);
}

/** A call on its way through the hub, passed on as it came. */
class WireCall implements CallRequest {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  readonly timeoutMs: number;
  readonly credit: number;
  readonly address: string;

  /** Throws "invalid" where it is malformed in any part. */
  constructor(bytes: Buffer, start: number, end: number) {
    const reader = new Reader(bytes, start, end);
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.timeoutMs = readTimeout(reader);
    this.credit = reader.u32();
    this.address = reader.repeatedText();
    reader.skipText();
    reader.mediaType();
    reader.skipHeaders();
  }

  writeTo(batch: Batch): Batch {
    return batch.part(this.#bytes, this.#start, this.#end);
  }

  get #whole(): CallRequest {
    return readCall(this.#bytes, this.#start, this.#end);
  }

  get method(): string {
    return this.#whole.method;
  }

  get headers(): Headers {
    return this.#whole.headers;
  }

  get contentType(): string {
    return this.#whole.contentType;
  }

  get body(): Uint8Array {
    return this.#whole.body;
  }
}

function readTimeout(reader: Reader): number {
  const timeoutMs = reader.f64();
  if (Number.isNaN(timeoutMs)) throw new BusError("invalid", "malformed request: no timeout");
  return timeoutMs;
}

/** The call from `start` to `end` as the hub passes it on: it outlives its packet. Throws "invalid". */
export function passedCall(packet: Buffer, start: number, end: number): CallRequest {
  if (packet.length <= pinnedBytes) return new WireCall(packet, start, end);
  return new WireCall(Buffer.from(packet.subarray(start, end)), 0, end - start);
}

/** The call from `start` to `end`; it outlives its packet. Throws "invalid". */
export function readCall(packet: Buffer, start: number, end: number): CallRequest {
  const reader = new Reader(packet, start, end);
  const timeoutMs = readTimeout(reader);
  const credit = reader.u32();
  const address = reader.repeatedText();
  const method = reader.repeatedText();
  const contentType = reader.mediaType();
  const headers = headersOf(reader.headers());
  const view = reader.rest();
  const body = packet.length <= pinnedBytes ? view : Buffer.from(view);
  return { address, method, headers, contentType, body, timeoutMs, credit };
}

const frameKinds: readonly ReplyFrame["kind"][] = ["value", "item", "end", "error"];

/** A reply on its way through the hub, passed on as it came. */
class WireFrame implements ReplyFrame {
  readonly kind: ReplyFrame["kind"];
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(kind: ReplyFrame["kind"], bytes: Buffer, start: number, end: number) {
    this.kind = kind;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  writeTo(batch: Batch): Batch {
    return batch.part(this.#bytes, this.#start, this.#end);
  }

  get #whole(): ReplyFrame {
    return readFrame(this.#bytes, this.#start, this.#end);
  }

  get contentType(): string {
    return this.#whole.contentType;
  }

  get body(): Uint8Array {
    return this.#whole.body;
  }
}

function readKind(reader: Reader): ReplyFrame["kind"] {
  const kind = frameKinds[reader.u8()];
  if (kind === undefined) throw new BusError("invalid", "malformed request: no reply frame");
  return kind;
}

/** The reply from `start` to `end` as the hub passes it on at once: a view. Throws "invalid" where it is malformed in any part. */
export function passedFrame(bytes: Buffer, start: number, end: number): ReplyFrame {
  const reader = new Reader(bytes, start, end);
  const kind = readKind(reader);
  reader.mediaType();
  return new WireFrame(kind, bytes, start, end);
}

/** u8 frame | media type | body to the end */
export function writeFrame(batch: Batch, frame: ReplyFrame): Batch {
  if (frame instanceof WireFrame) return frame.writeTo(batch);
  const { kind, contentType, text } = frame;
  batch.u8(frameKinds.indexOf(kind)).mediaType(contentType);
  return text === undefined ? batch.bytes(frame.body) : batch.lastText(text);
}

/** The reply from `start` to `end`. Its body is a view. Throws "invalid". */
export function readFrame(bytes: Buffer, start: number, end: number): ReplyFrame {
  const reader = new Reader(bytes, start, end);
  return { kind: readKind(reader), contentType: reader.mediaType(), body: reader.rest() };
}
