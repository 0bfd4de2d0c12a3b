/** Checks what a caller gives to `connect`, and says what is taken where nothing is given. */
import {
  type Auth,
  BusError,
  type Codec,
  type ConnectOptions,
  checkCount,
  checkDuration,
  type DriverOptions,
  json,
} from "@quadrant/contract";

export interface Settings {
  readonly driver: DriverOptions;
  readonly codec: Codec;
}

const mebibyte = 1_048_576;
const visible = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,255}$/u;
const contentType = /^[\x21-\x7E]+(; ?[\x21-\x7E]+)*$/;

function invalid(message: string): never {
  throw new BusError("invalid", message);
}

/** Throws "invalid" unless `options` is undefined or an object; a null or a string is a slip that would be ignored. */
export function checkOptions(options: unknown): void {
  if (options !== undefined && (typeof options !== "object" || options === null)) {
    invalid(`options: ${options === null ? "null" : typeof options} is no object of options`);
  }
}

function nameOf(name: string | undefined): string {
  if (name === undefined)
    return process.title.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "").slice(0, 255) || "quadrant";
  if (typeof name !== "string" || !visible.test(name)) {
    invalid("name: give 1 to 255 characters without control characters");
  }
  return name;
}

function checkCodec(codec: Codec): Codec {
  if (
    typeof codec !== "object" ||
    codec === null ||
    typeof codec.encode !== "function" ||
    typeof codec.decode !== "function" ||
    typeof codec.contentType !== "string" ||
    codec.contentType.length > 255 ||
    !contentType.test(codec.contentType)
  ) {
    invalid("codec: give json, bytes, msgpack, or an object of { contentType, encode, decode }");
  }
  return codec;
}

function allStrings(value: unknown, ...members: string[]): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    members.every((member) => {
      const text = (value as Record<string, unknown>)[member];
      return typeof text === "string" && text !== "";
    })
  );
}

function checkAuth(auth: Auth | undefined): void {
  if (auth === undefined) return;
  const known =
    allStrings(auth, "user", "password") ||
    allStrings(auth, "token") ||
    allStrings(auth, "nkeySeed") ||
    allStrings(auth, "credsFile") ||
    allStrings((auth as { readonly curve?: unknown } | null)?.curve, "serverKey", "publicKey", "secretKey");
  // Never shown: whatever is in it may be a secret.
  if (!known) invalid("auth: give one of { user, password }, { token }, { nkeySeed }, { credsFile }, { curve }");
}

function checkTls(tls: ConnectOptions["tls"]): void {
  if (tls === undefined) return;
  if (typeof tls !== "object" || tls === null) invalid("tls: give { ca, cert, key }, each a text in PEM");
  for (const part of [tls.ca, tls.cert, tls.key]) {
    if (part !== undefined && typeof part !== "string") invalid("tls: give { ca, cert, key }, each a text in PEM");
  }
}

/** Throws "invalid" unless `signal` is undefined or an AbortSignal. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) invalid("signal: give an AbortSignal");
}

/** Throws "invalid" for an option that is none. */
export function settingsOf(options: ConnectOptions | undefined): Settings {
  checkOptions(options);
  const { name, timeoutMs, requestTimeoutMs, codec, maxPayloadBytes, outboxBytes, auth, tls, signal } = options ?? {};
  checkDuration("timeoutMs", timeoutMs);
  checkDuration("requestTimeoutMs", requestTimeoutMs, 1);
  checkCount("maxPayloadBytes", maxPayloadBytes);
  checkCount("outboxBytes", outboxBytes);
  checkAuth(auth);
  checkTls(tls);
  checkSignal(signal);
  return {
    codec: codec === undefined ? json : checkCodec(codec),
    driver: {
      name: nameOf(name),
      timeoutMs: timeoutMs ?? 5_000,
      requestTimeoutMs: requestTimeoutMs ?? 5_000,
      maxPayloadBytes: maxPayloadBytes ?? 8 * mebibyte,
      outboxBytes: outboxBytes ?? 64 * mebibyte,
      auth,
      tls,
      signal,
    },
  };
}
