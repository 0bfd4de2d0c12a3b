/** How arguments, results and errors travel in the frames of a call. */
import {
  type Bodies,
  BusError,
  type BusErrorCode,
  bytes,
  json,
  type RemoteFailure,
  type ReplyFrame,
} from "@quadrant/contract";

/** Items a server may send ahead of its caller's loop. */
export const streamWindow: number = 16;

/** Longer messages and names of thrown errors are cut: they are for people. */
const maxErrorText = 8_192;

const nothing = new Uint8Array(0);

/** A body and its media type. `undefined`, which few codecs carry, is no bytes of no type. */
export interface Carried {
  readonly contentType: string;
  readonly body: Uint8Array;
  /** The same, where it was made from a text: then `body` is made when it is looked at. */
  readonly text?: string | undefined;
}

class CarriedText implements Carried {
  readonly contentType: string;
  readonly text: string;
  #body: Uint8Array | undefined;

  constructor(contentType: string, text: string) {
    this.contentType = contentType;
    this.text = text;
  }

  get body(): Uint8Array {
    this.#body ??= Buffer.from(this.text);
    return this.#body;
  }
}

/** A value or an item on its way to the caller. */
export class AnswerFrame implements ReplyFrame {
  readonly kind: "value" | "item";
  readonly #carried: Carried;

  constructor(kind: "value" | "item", carried: Carried) {
    this.kind = kind;
    this.#carried = carried;
  }

  get contentType(): string {
    return this.#carried.contentType;
  }

  get body(): Uint8Array {
    return this.#carried.body;
  }

  get text(): string | undefined {
    return this.#carried.text;
  }
}

const carriedUndefined: Carried = { contentType: "", body: nothing };

/** Throws "codec" or "too-large". */
export function encodeValue(bodies: Bodies, value: unknown): Carried {
  if (value === undefined) return carriedUndefined;
  const { contentType } = bodies.codec;
  const text = bodies.encodeText(value);
  return text === undefined ? { contentType, body: bodies.encode(value) } : new CarriedText(contentType, text);
}

/** Throws "codec". */
export function decodeValue(bodies: Bodies, carried: Carried): unknown {
  if (carried.contentType === "" && carried.body.length === 0) return undefined;
  return bodies.decodeEnvelope(carried);
}

/**
 * Arguments travel as an array. Where the connection's codec is bytes, which carries no arrays, there may be one
 * argument, or none. Trailing undefined is left out, so that defaults apply. Throws "codec" or "too-large".
 */
export function encodeArguments(bodies: Bodies, args: readonly unknown[]): Carried {
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length--;
  const given = length === args.length ? args : args.slice(0, length);
  if (bodies.codec.contentType !== bytes.contentType) return encodeValue(bodies, given);
  if (given.length > 1) {
    throw new BusError(
      "codec",
      "the bytes codec carries one Uint8Array a call; use json or msgpack for more arguments",
    );
  }
  return encodeValue(bodies, given[0]);
}

/** Throws "codec". */
export function decodeArguments(bodies: Bodies, carried: Carried): readonly unknown[] {
  const value = decodeValue(bodies, carried);
  if (value === undefined) return [];
  if (carried.contentType === bytes.contentType) return [value];
  if (!Array.isArray(value)) throw new BusError("codec", "the arguments of a call travel as an array");
  return value;
}

function textOf(value: unknown, otherwise: string): string {
  try {
    const text = String(value);
    return text.length > maxErrorText ? `${text.slice(0, maxErrorText)}…` : text;
  } catch {
    return otherwise;
  }
}

/** What of a thrown value travels: name, message and own code. */
function failureOf(thrown: unknown): RemoteFailure {
  if (typeof thrown !== "object" || thrown === null) return { name: "Error", message: textOf(thrown, "") };
  const { name, message, code } = thrown as { name?: unknown; message?: unknown; code?: unknown };
  return {
    name: typeof name === "string" && name !== "" ? textOf(name, "Error") : "Error",
    message: textOf(message ?? thrown, "an error without a message"),
    code: typeof code === "string" || typeof code === "number" ? textOf(code, "") : undefined,
  };
}

function errorFrame(failure: RemoteFailure & { readonly refused?: true }): ReplyFrame {
  return { kind: "error", contentType: json.contentType, body: json.encode(failure) };
}

/** What a method threw. */
export function failureFrame(thrown: unknown): ReplyFrame {
  try {
    return errorFrame(failureOf(thrown));
  } catch {
    // Its members throw in their turn.
    return errorFrame({ name: "Error", message: "an error that cannot be read" });
  }
}

/** The server's own refusal, which no method threw: the caller gets it as a BusError of this code. */
export function refusalFrame(code: BusErrorCode, message: string): ReplyFrame {
  return errorFrame({ name: "BusError", message, code, refused: true });
}

const refusals: ReadonlySet<unknown> = new Set<BusErrorCode>([
  "invalid",
  "codec",
  "too-large",
  "overflow",
  "timeout",
  "indefinite",
]);

/** The error that an error frame means to the caller of `what`. */
export function errorOfFrame(frame: ReplyFrame, what: string, driver: string): BusError {
  let sent: { name?: unknown; message?: unknown; code?: unknown; refused?: unknown } = {};
  try {
    const value = json.decode(frame.body);
    if (typeof value === "object" && value !== null) sent = value;
  } catch {
    // A server that cannot even say what went wrong: it went wrong all the same.
  }
  const message = typeof sent.message === "string" ? sent.message : "an error that cannot be read";
  if (sent.refused === true && refusals.has(sent.code)) {
    return new BusError(sent.code as BusErrorCode, `${what}: ${message}`, { driver });
  }
  const name = typeof sent.name === "string" ? sent.name : "Error";
  const code = typeof sent.code === "string" ? sent.code : undefined;
  return new BusError("remote", `${what} threw ${name}: ${message}`, { driver, remote: { name, message, code } });
}
