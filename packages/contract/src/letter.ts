import type { Bodies } from "./body.ts";
import type { DeadRecord, PeekedLetter } from "./driver.ts";
import { checkCount } from "./duration.ts";
import { BusError } from "./errors.ts";
import { checkId } from "./id.ts";
import type { DeadLetter, Letter } from "./mailbox.ts";

/** What is only looked at is shown even where it cannot be decoded: as its bytes. */
function shown(bodies: Bodies, contentType: string, body: Uint8Array): unknown {
  try {
    return bodies.decode(contentType, body);
  } catch {
    return new Uint8Array(body);
  }
}

/** A letter that is looked at, not taken. The data of one that cannot be decoded is its bytes. */
export function letterOf<T>(bodies: Bodies, record: PeekedLetter): Letter<T> {
  return {
    id: record.id,
    data: shown(bodies, record.contentType, record.body) as T,
    headers: { ...record.headers },
    sentAt: new Date(record.sentAt),
    attempt: record.attempt,
  };
}

/** A dead letter, of a mailbox or of a durable. The data of one that cannot be decoded is its bytes. */
export function deadLetterOf<T>(bodies: Bodies, record: DeadRecord): DeadLetter<T> {
  return {
    ...letterOf<T>(bodies, record),
    error: { code: record.failure.code, message: record.failure.message },
    diedAt: new Date(record.diedAt),
  };
}

/** Throws "invalid" unless the options of a redrive are undefined or letters' ids and a limit. */
export function checkRedrive(
  options: { readonly ids?: readonly string[] | undefined; readonly limit?: number | undefined } | undefined,
): void {
  checkCount("limit", options?.limit);
  if (options?.ids === undefined) return;
  if (!Array.isArray(options.ids)) throw new BusError("invalid", "ids: give an array of the letters' ids");
  for (const id of options.ids) checkId("id", id ?? "");
}
