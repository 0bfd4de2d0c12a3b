import {
  BusError,
  type Context,
  type LocalQueue,
  type QueueLetter,
  type Queues,
  type SendOutcome,
  type Sent,
} from "@quadrant/contract";
import { Batches, maxItems, maxSize } from "./batches.ts";
import { DrainWatch } from "./drain-watch.ts";
import { letterId } from "./letter-id.ts";
import type { Postage } from "./postage.ts";
import { TextLetter } from "./text-letter.ts";

/** What a letter takes besides its body, roughly. */
const letterOverhead = 200;
/** So many batches of one `sendMany` are on their way at once. */
const window = 4;

/** Sends to one mailbox: to one in this process at once, to others together what is sent in one turn. */
export class Sender {
  readonly #bodies: Context["bodies"];
  readonly #local: LocalQueue | undefined;
  readonly #post: (letters: readonly QueueLetter[], size: number) => Promise<readonly SendOutcome[]>;
  readonly #batches: Batches<QueueLetter, SendOutcome>;
  readonly #drain: DrainWatch;

  constructor(context: Context, queues: Queues, address: string) {
    this.#bodies = context.bodies;
    this.#local = queues.local?.(address);
    this.#batches = new Batches(context, (letters) => queues.send(address, letters));
    this.#drain = new DrainWatch(context);
    // What is sent one by one and what is sent together keep their order.
    this.#post =
      this.#local === undefined
        ? (letters, size) => this.#batches.addMany(letters, size)
        : (letters) => queues.send(address, letters);
  }

  /** Throws "codec" or "too-large". */
  letter(data: unknown, postage: Postage, id: string | undefined): QueueLetter {
    const { contentType } = this.#bodies.codec;
    const dedupe = id !== undefined;
    if (this.#local !== undefined) {
      const text = this.#bodies.encodeText(data);
      if (text !== undefined) return new TextLetter(id ?? letterId(), dedupe, contentType, text, postage);
    }
    const { headers, delayMs, ttlMs, key } = postage;
    const body = this.#bodies.encode(data);
    return { id: id ?? letterId(), dedupe, headers, contentType, body, delayMs, ttlMs, key };
  }

  /** Throws, or rejects with, what the driver says. */
  send(letter: QueueLetter): Promise<Sent> {
    return this.#local === undefined ? this.#sendTogether(letter) : this.#sendLocally(this.#local, letter);
  }

  #sendLocally(local: LocalQueue, letter: QueueLetter): Promise<Sent> {
    const outcome = local.send(letter);
    if ("error" in outcome) return this.#once(local.stable(false), outcome);
    const stable = local.stable(!outcome.duplicate);
    const answer = sent(letter, outcome);
    if (stable !== undefined) return this.#once(stable, answer);
    const turn = local.turn();
    return turn === undefined ? Promise.resolve(answer) : answerAfter(turn, answer);
  }

  async #once(stable: Promise<void> | undefined, answer: Sent | { readonly error: BusError }): Promise<Sent> {
    if (stable !== undefined) {
      this.#drain.watch(stable);
      await stable;
    }
    if ("error" in answer) throw answer.error;
    return answer;
  }

  #sendTogether(letter: QueueLetter): Promise<Sent> {
    return new Promise((resolve, reject) => {
      const done = (outcome: SendOutcome): void =>
        "error" in outcome ? reject(outcome.error) : resolve(sent(letter, outcome));
      this.#batches.put(letter, sizeOf(letter), done, reject);
    });
  }

  /** In order; stops at the first batch of which something was refused. */
  async sendMany(letters: readonly QueueLetter[]): Promise<readonly Sent[]> {
    const accepted: (Sent | undefined)[] = new Array(letters.length);
    let error: unknown;
    const onTheWay = new Set<Promise<void>>();
    const post = async (batch: readonly QueueLetter[], size: number, from: number): Promise<void> => {
      try {
        const outcomes = await this.#post(batch, size);
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

async function answerAfter<T>(turn: Promise<void>, answer: T): Promise<T> {
  await turn;
  return answer;
}

function sizeOf(letter: QueueLetter): number {
  return (letter.text ?? letter.body).length + letterOverhead;
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
    const next = sizeOf(letters[to]!);
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
