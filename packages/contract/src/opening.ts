import type { Bodies } from "./body.ts";
import type { Envelope } from "./envelope.ts";
import { BusError } from "./errors.ts";
import type { Message } from "./message.ts";
import { type StandardSchema, validate } from "./schema.ts";

/** What becomes of an envelope that is opened: one of the two is called, once, with what came with the envelope. */
export interface Opening<T, R, C = undefined> {
  readonly bodies: Bodies;
  readonly schema: StandardSchema<T> | undefined;
  value(data: T, of: C): R;
  /** "codec", with the bytes, or "invalid", with the value. */
  refused(data: unknown, error: BusError, of: C): R;
}

/** Decodes a body and validates it, at once unless the schema is asynchronous. */
export function openEnvelope<T, R>(envelope: Envelope, opening: Opening<T, R>): R | Promise<R>;
export function openEnvelope<T, R, C>(envelope: Envelope, opening: Opening<T, R, C>, of: C): R | Promise<R>;
export function openEnvelope<T, R, C>(envelope: Envelope, opening: Opening<T, R, C>, of?: C): R | Promise<R> {
  return openFor(envelope, opening, of as C);
}

function openFor<T, R, C>(envelope: Envelope, opening: Opening<T, R, C>, of: C): R | Promise<R> {
  const { bodies, schema } = opening;
  let data: unknown;
  try {
    data = bodies.decodeEnvelope(envelope);
  } catch (error) {
    return opening.refused(new Uint8Array(envelope.body), asBusError(error), of);
  }
  if (schema === undefined) return opening.value(data as T, of);
  let valid: T | Promise<T>;
  try {
    valid = validate(schema, data);
  } catch (error) {
    return opening.refused(data, asBusError(error), of);
  }
  if (!(valid instanceof Promise)) return opening.value(valid, of);
  return valid.then(
    (value) => opening.value(value, of),
    (error: unknown) => opening.refused(data, asBusError(error), of),
  );
}

function asBusError(error: unknown): BusError {
  return error instanceof BusError ? error : new BusError("codec", String(error), { cause: error });
}

/** Tells a user's callback of an envelope that was refused; one that throws, or rejects, stops nothing. */
export function tellInvalid(
  invalid: (message: Message<unknown>, error: BusError) => void,
  { subject, headers }: Envelope,
  data: unknown,
  error: BusError,
): void {
  try {
    const told: unknown = invalid({ subject, data, headers: { ...headers } }, error);
    if (told instanceof Promise) told.catch(() => undefined);
  } catch {
    // Its own business.
  }
}
