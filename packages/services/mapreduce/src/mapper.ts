import type { Bus, Claim, Field, Mailbox, TupleSpace } from "@quadrant/bus";
import type { WordList } from "./byte-table.ts";
import { messageOf, type Unread } from "./document.ts";
import { whileHeld } from "./held-claim.ts";
import { eventSubject, type Plan, partitionAddress, spaceName, type TaskEvent } from "./job.ts";
import { cutPieces, encodePartial, type Piece } from "./partial.ts";
import { isPassing, persist } from "./persistence.ts";
import { readBlocks } from "./range-reader.ts";
import type { Range } from "./split.ts";
import { WordCounter } from "./word-counter.ts";

/** Files of one task that are read at the same time. */
const lanes = 4;

export interface RoleOptions {
  readonly job: string;
  readonly plan: Plan;
  /** Shown in events. */
  readonly worker: string;
  /** Ends the role. Nothing else does but a failure. */
  readonly signal: AbortSignal;
}

type TaskTuple = readonly ["task", string, number, readonly Field[]];

/**
 * Claims tasks, counts, and sends each partition its partial; until the signal. A task's tuple is removed only when all
 * its letters are in their mailboxes: whenever this process dies, the task either comes back or is completely sent.
 */
export async function runMapper(bus: Bus, options: RoleOptions): Promise<void> {
  const { job, plan, signal } = options;
  const space = await bus.space(spaceName);
  const boxes: Mailbox<Piece>[] = [];
  for (let i = 0; i < plan.partitions; i++) boxes.push(await bus.mailbox<Piece>(partitionAddress(job, i)));
  while (!signal.aborted) {
    const claim = await claimTask(space, options);
    if (claim === undefined) return;
    const event = await mapTask(claim, boxes, options);
    if (event !== undefined) await bus.publish(eventSubject(job, "task"), event).catch(() => undefined);
  }
}

async function claimTask(space: TupleSpace, options: RoleOptions): Promise<Claim<TaskTuple> | undefined> {
  const { job, plan, signal } = options;
  const claim = (): Promise<Claim<TaskTuple>> =>
    space.claim(["task", job, Number, Array], { leaseMs: plan.leaseMs, signal });
  try {
    return await persist(claim, signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** undefined where the task was lost on the way: somebody else does it again. */
async function mapTask(
  claim: Claim<TaskTuple>,
  boxes: readonly Mailbox<Piece>[],
  options: RoleOptions,
): Promise<TaskEvent | undefined> {
  const [, , task, fields] = claim.tuple;
  const ranges = fields.map(rangeOf);
  try {
    return await whileHeld(claim, options.plan.leaseMs, options.signal, async (signal) => {
      const counted = await countRanges(ranges, boxes.length, signal);
      const letters = await sendPartials(task, counted, boxes, options, signal);
      await claim.ack();
      const bytes = ranges.reduce((sum, range) => sum + range.end - range.start, 0);
      const words = counted.lists.reduce((sum, { counts }) => sum + counts.length, 0);
      return { kind: "task", worker: options.worker, task, bytes, words, letters, unread: counted.unread };
    });
  } catch (error) {
    // Letters that were sent all the same are ignored by the reducers once the task is counted.
    if (!isPassing(error, claim.signal, options.signal)) throw error;
    return undefined;
  }
}

function rangeOf(field: Field): Range {
  const [path, start, end] = field as readonly [string, number, number];
  return { path, start, end };
}

interface Counted {
  /** One a partition. */
  readonly lists: readonly WordList[];
  readonly unread: readonly Unread[];
}

async function countRanges(ranges: readonly Range[], partitions: number, signal: AbortSignal): Promise<Counted> {
  const counter = new WordCounter();
  const unread: Unread[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let range = ranges[next++]; range !== undefined; range = ranges[next++]) {
      try {
        await readBlocks(range, (block) => counter.add(block), signal);
      } catch (error) {
        signal.throwIfAborted();
        unread.push({ path: range.path, message: messageOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, ranges.length) }, lane));
  return { lists: counter.take(partitions), unread };
}

async function sendPartials(
  task: number,
  { lists, unread }: Counted,
  boxes: readonly Mailbox<Piece>[],
  { job, plan }: RoleOptions,
  signal: AbortSignal,
): Promise<number> {
  const attempt = crypto.randomUUID();
  const sendings = lists.flatMap((list, partition) => {
    // What could not be read is told once.
    const text = encodePartial({ ...list, unread: partition === 0 ? unread : [] });
    return cutPieces(task, attempt, text, plan.letterChars).map((piece) => {
      // The id makes a repeated send of one attempt the same letter; it does not have to join two attempts.
      const id = `${job}.${task}.${partition}.${piece.part}.${attempt}`;
      return persist(() => boxes[partition]!.send(piece, { id }), signal);
    });
  });
  await Promise.all(sendings);
  return sendings.length;
}
