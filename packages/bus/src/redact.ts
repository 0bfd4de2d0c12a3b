/** Keeps secrets out of errors: a driver's message, or that of a library below it, may quote a URL or a key. */
import { type Auth, BusError, isBusError } from "@quadrant/contract";

/** Shorter secrets would blank out half of every message; the URL they stand in is masked as a whole anyway. */
const leastLength = 3;

/** The secrets of an `auth` option. */
export function secretsOfAuth(auth: Auth | undefined): string[] {
  if (auth === undefined) return [];
  if ("password" in auth) return [auth.password];
  if ("token" in auth) return [auth.token];
  if ("nkeySeed" in auth) return [auth.nkeySeed];
  if ("curve" in auth) return [auth.curve.secretKey];
  return [];
}

function blank(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets) if (secret.length >= leastLength) shown = shown.replaceAll(secret, "***");
  return shown;
}

/** A cause without secrets: the same where it holds none, else only its blanked message. */
function redactCause(cause: unknown, secrets: readonly string[]): unknown {
  if (cause === undefined || cause === null) return cause;
  let text: string;
  try {
    text = cause instanceof Error ? `${cause.stack}${cause.message}${JSON.stringify(cause)}` : String(cause);
  } catch {
    text = "";
  }
  const inner = cause instanceof Error ? redactCause(cause.cause, secrets) : undefined;
  const clean = text !== "" && blank(text, secrets) === text;
  if (clean && (!(cause instanceof Error) || inner === cause.cause)) return cause;
  return new Error(blank(cause instanceof Error ? cause.message : "an error that held a secret", secrets), {
    cause: inner,
  });
}

/** Any failure as a BusError whose message and causes hold none of the secrets. */
export function redacted(error: unknown, secrets: readonly string[]): BusError {
  if (!isBusError(error)) {
    const why = error instanceof Error ? error.message : String(error);
    return new BusError("unavailable", blank(`the driver failed to connect: ${why}`, secrets), {
      cause: redactCause(error, secrets),
    });
  }
  const message = blank(error.message, secrets);
  const cause = redactCause(error.cause, secrets);
  if (message === error.message && cause === error.cause) return error;
  return new BusError(error.code, message, { driver: error.driver, cause, remote: error.remote });
}
