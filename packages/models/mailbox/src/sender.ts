import {
  assertSupported,
  BusError,
  type Context,
  checkDuration,
  checkHeaders,
  checkId,
  type Driver,
  type QueueLetter,
  type Queues,
  type SendOptions,
  type SendOutcome,
  type Sent,
  withTrace,
} from "@quadrant/contract";
import { Batches, maxItems, maxSize } from "./batches.ts";
import { letterId } from "./letter-id.ts";

/** What a letter takes besides its body, roughly. */
const letterOverhead = 200;
/** So many batches of one `sendMany` are on their way at once. */
const window = 4;

/** What the letters of one call have in common, checked. */
export type Postage = Pick<QueueLetter, "headers" | "delayMs" | "ttlMs" | "key">;

/** Throws "invalid", or "unsupported" where the driver refuses an option. */
export function checkPostage(driver: Driver, options: SendOptions): Postage {
  const { delayMs, ttlMs, key } = options;
  checkDuration("delayMs", delayMs);
  if (delayMs === Number.POSITIVE_INFINITY)
    throw new BusError("invalid", "delayMs: Infinity is never; give milliseconds");
  checkDuration("ttlMs", ttlMs, 1);
  checkId("key", key);
  const headers = withTrace(checkHeaders(options.headers));
  if (delayMs !== undefined) assertSupported(driver, "mailbox.delay");
  if (ttlMs !== undefined) assertSupported(driver, "mailbox.ttl");
  if (key !== undefined) assertSupported(driver, "mailbox.keys");
  return {
    headers,
    delayMs: delayMs === 0 ? undefined : delayMs,
    ttlMs: ttlMs === Number.POSITIVE_INFINITY ? undefined : ttlMs,
    key,
  };
}

/** Sends to one mailbox; what is sent in one turn goes together. */
export class Sender {
  readonly #batches: Batches<QueueLetter, SendOutcome>;
  readonly #contentType: string;

  constructor(context: Context, queues: Queues, address: string) {
    this.#contentType = context.bodies.codec.contentType;
    this.#batches = new Batches(context, (letters) => queues.send(address, letters));
  }

  letter(body: Uint8Array, postage: Postage, id: string | undefined): QueueLetter {
    return {
      id: id ?? letterId(),
      dedupe: id !== undefined,
      headers: postage.headers,
      contentType: this.#contentType,
      body,
      delayMs: postage.delayMs,
      ttlMs: postage.ttlMs,
      key: postage.key,
    };
  }

  async send(letter: QueueLetter): Promise<Sent> {
    const outcome = await this.#batches.add(letter, letter.body.length + letterOverhead);
    if ("error" in outcome) throw outcome.error;
    return sent(letter, outcome);
  }

  /** In order; stops at the first batch of which something was refused. */
  async sendMany(letters: readonly QueueLetter[]): Promise<readonly Sent[]> {
    const accepted: (Sent | undefined)[] = new Array(letters.length);
    let error: unknown;
    const onTheWay = new Set<Promise<void>>();
    const post = async (batch: readonly QueueLetter[], size: number, from: number): Promise<void> => {
      try {
        const outcomes = await this.#batches.addMany(batch, size);
        for (const [index, outcome] of outcomes.entries()) {
          if ("error" in outcome) error ??= outcome.error;
          else accepted[from + index] = sent(batch[index]!, outcome);
        }
      } catch (cause) {
        error ??= cause;
      }
    };
    for (let from = 0; from < letters.length && error === undefined; ) {
      const { to, size } = cut(letters, from);
      const posted = post(letters.slice(from, to), size, from).then(() => void onTheWay.delete(posted));
      onTheWay.add(posted);
      from = to;
      if (onTheWay.size >= window) await Promise.race(onTheWay);
    }
    await Promise.all(onTheWay);
    const held = accepted.filter((each) => each !== undefined);
    if (error !== undefined) throw partial(error, held, letters.length);
    return held;
  }
}

function sent(letter: QueueLetter, outcome: { readonly duplicate: boolean }): Sent {
  // A fresh id is known only from the driver's own retry: to the sender, it is no duplicate.
  return { id: letter.id, duplicate: letter.dedupe && outcome.duplicate };
}

/** Where the batch that begins at `from` ends. */
function cut(letters: readonly QueueLetter[], from: number): { readonly to: number; readonly size: number } {
  let to = from;
  let size = 0;
  while (to < letters.length && to - from < maxItems) {
    const next = letters[to]!.body.length + letterOverhead;
    if (to > from && size + next > maxSize) break;
    size += next;
    to++;
  }
  return { to, size };
}

function partial(error: unknown, held: readonly Sent[], of: number): BusError {
  const code = error instanceof BusError ? error.code : "indefinite";
  const why = error instanceof Error ? error.message : String(error);
  return new BusError(code, `${held.length} of ${of} letters were accepted (see \`sent\`): ${why}`, {
    cause: error,
    driver: error instanceof BusError ? error.driver : undefined,
    remote: error instanceof BusError ? error.remote : undefined,
    sent: held,
  });
}
