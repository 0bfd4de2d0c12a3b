import type { BusError, Message } from "@quadrant/contract";

export type Invalid = ((message: Message<unknown>, error: BusError) => void) | undefined;

/** Tells a user's callback; one that throws, or rejects, stops nothing. */
export function tell(invalid: NonNullable<Invalid>, message: Message<unknown>, error: BusError): void {
  try {
    const told: unknown = invalid(message, error);
    if (told instanceof Promise) told.catch(() => undefined);
  } catch {
    // Its own business.
  }
}
