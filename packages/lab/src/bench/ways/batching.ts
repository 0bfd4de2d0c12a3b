import type { Payload } from "../payload.ts";
import type { Outlet } from "../producer.ts";

/** What is put while a batch is on its way goes out with the next; for whoever awaits each. */
export function batching(flush: (payloads: readonly Payload[]) => Promise<unknown>): Outlet["put"] {
  let gathered: Payload[] = [];
  let sent: Promise<unknown> = Promise.resolve();
  let next: Promise<unknown> | undefined;
  return (payload) => {
    gathered.push(payload);
    next ??= sent.then(() => {
      const payloads = gathered;
      gathered = [];
      next = undefined;
      sent = flush(payloads);
      return sent;
    });
    return next;
  };
}
