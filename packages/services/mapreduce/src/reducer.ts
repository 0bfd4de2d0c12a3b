import { type Bus, BusError, type Claim, type Delivery, type TupleSpace } from "@quadrant/bus";
import { ByteTable } from "./byte-table.ts";
import type { Unread } from "./document.ts";
import { whileHeld } from "./held-claim.ts";
import {
  eventSubject,
  lettersInFlight,
  type PartitionEvent,
  partitionAddress,
  resultsAddress,
  spaceName,
} from "./job.ts";
import type { RoleOptions } from "./mapper.ts";
import { Assembly, cutPieces, decodePartial, encodePartial, type Piece } from "./partial.ts";
import { isPassing, persist } from "./persistence.ts";

type PartitionTuple = readonly ["partition", string, number];

/**
 * Claims a partition, merges the partials of all tasks, sends the result, then claims the next; until the signal. Its
 * letters are acknowledged, and the partition's tuple removed, only once the whole result is in the results' mailbox:
 * whenever this process dies, the next reducer gets the tuple and every letter, and makes the same result.
 */
export async function runReducer(bus: Bus, options: RoleOptions): Promise<void> {
  const { job, signal } = options;
  const space = await bus.space(spaceName);
  while (!signal.aborted) {
    const claim = await claimPartition(space, options);
    if (claim === undefined) return;
    const event = await reducePartition(bus, claim, options);
    if (event !== undefined) await bus.publish(eventSubject(job, "partition"), event).catch(() => undefined);
  }
}

async function claimPartition(space: TupleSpace, options: RoleOptions): Promise<Claim<PartitionTuple> | undefined> {
  const { job, plan, signal } = options;
  const claim = (): Promise<Claim<PartitionTuple>> =>
    space.claim(["partition", job, Number], { leaseMs: plan.leaseMs, signal });
  try {
    return await persist(claim, signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** undefined where the partition was lost on the way: somebody else does it again. */
async function reducePartition(
  bus: Bus,
  claim: Claim<PartitionTuple>,
  options: RoleOptions,
): Promise<PartitionEvent | undefined> {
  try {
    return await whileHeld(claim, options.plan.leaseMs, options.signal, (signal) => merge(bus, claim, options, signal));
  } catch (error) {
    if (!isPassing(error, claim.signal, options.signal)) throw error;
    return undefined;
  }
}

async function merge(
  bus: Bus,
  claim: Claim<PartitionTuple>,
  options: RoleOptions,
  signal: AbortSignal,
): Promise<PartitionEvent> {
  const { job, plan, worker } = options;
  const partition = claim.tuple[2];
  const box = await bus.mailbox<Piece>(partitionAddress(job, partition));
  const letters = await box.receive({ maxInFlight: lettersInFlight, signal });
  const state = new PartitionState();
  const held: Delivery<Piece>[] = [];
  for await (const letter of letters) {
    held.push(letter);
    state.add(letter.data);
    // The letter is needed until the end, its text is not: all of them together are most of what a worker holds.
    letter.data.text = "";
    if (state.tasks < plan.tasks) continue;
    await sendResult(bus, partition, state, options, signal);
    await claim.ack();
    // The result is safe. What is not acknowledged any more is thrown away with the mailbox.
    await Promise.allSettled(held.map((each) => each.ack()));
    const { words, repeats } = state;
    return { kind: "partition", worker, partition, words: words.size, letters: held.length, repeats };
  }
  throw new BusError("aborted", `partition ${partition} was given up before it was complete`, { cause: signal.reason });
}

/** What is known of a partition: each task's words once. */
class PartitionState {
  readonly words: ByteTable = new ByteTable();
  readonly unread: Unread[] = [];
  readonly #assembly = new Assembly();

  get tasks(): number {
    return this.#assembly.size;
  }

  get repeats(): number {
    return this.#assembly.repeats;
  }

  add(piece: Piece): void {
    const text = this.#assembly.add(piece);
    if (text === undefined) return;
    const partial = decodePartial(text);
    this.words.addList(partial);
    this.unread.push(...partial.unread);
  }
}

async function sendResult(
  bus: Bus,
  partition: number,
  state: PartitionState,
  { job, plan }: RoleOptions,
  signal: AbortSignal,
): Promise<void> {
  const attempt = crypto.randomUUID();
  const text = encodePartial({ ...state.words.deal(1)[0]!, unread: state.unread });
  const results = await bus.mailbox<Piece>(resultsAddress(job));
  const pieces = cutPieces(partition, attempt, text, plan.letterChars);
  const send = (piece: Piece) =>
    persist(() => results.send(piece, { id: `${job}.result.${partition}.${piece.part}.${attempt}` }), signal);
  await Promise.all(pieces.map(send));
}
