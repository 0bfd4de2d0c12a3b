import { JetStreamError } from "./failure.ts";

/** What a stream says of a message that it stored. */
export interface Stored {
  readonly seq: number;
  readonly duplicate: boolean;
}

/** Of JetStream's API and its acknowledgements alike. */
export interface ApiAnswer {
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

const closingBrace = 0x7d;
const zero = 0x30;
const nine = 0x39;
const start = Buffer.from('{"stream":');
const beforeSeq = Buffer.from('"seq":');

function hasAt(bytes: Uint8Array, expected: Uint8Array, from: number): boolean {
  if (from < 0) return false;
  for (let at = 0; at < expected.length; at++) if (bytes[from + at] !== expected[at]) return false;
  return true;
}

/** `{"stream":"NAME", "seq":NUMBER}`, as nearly all are; undefined for what is to be parsed: an error, a duplicate. */
function plainSeq(bytes: Uint8Array): number | undefined {
  let at = bytes.length - 1;
  if (bytes[at] !== closingBrace || !hasAt(bytes, start, 0)) return undefined;
  let seq = 0;
  for (let scale = 1; at > 0; scale *= 10) {
    const byte = bytes[--at]!;
    if (byte < zero || byte > nine) break;
    seq += (byte - zero) * scale;
  }
  return hasAt(bytes, beforeSeq, at - beforeSeq.length + 1) ? seq : undefined;
}

export function jetStreamError({ code, err_code, description }: NonNullable<ApiAnswer["error"]>): JetStreamError {
  return new JetStreamError(code, err_code ?? 0, description ?? "no reason given");
}

/** Throws JetStreamError where the stream refused the message. */
export function readPubAck(bytes: Buffer): Stored {
  const seq = plainSeq(bytes);
  if (seq !== undefined) return { seq, duplicate: false };
  const answer = JSON.parse(bytes.toString("utf8")) as ApiAnswer & {
    readonly seq: number;
    readonly duplicate?: boolean;
  };
  if (answer.error !== undefined) throw jetStreamError(answer.error);
  return { seq: answer.seq, duplicate: answer.duplicate === true };
}
