import { type Bus, BusError, type BusStatus, type Mailbox, type TupleSpace } from "@quadrant/bus";
import { clearJob } from "./clearance.ts";
import type { Listing, Unread } from "./document.ts";
import {
  checkJobId,
  finishedLeaseMs,
  letterAttempts,
  lettersInFlight,
  newJobId,
  type Outcome,
  type Plan,
  partitionAddress,
  resultsAddress,
  serviceAddress,
  spaceName,
} from "./job.ts";
import { Assembly, decodePartial, type Piece } from "./partial.ts";
import { persist } from "./persistence.ts";
import { reportProgress } from "./report.ts";
import { defaultTaskBytes, type Range, splitDocuments } from "./split.ts";
import { JobStatus } from "./status.ts";
import { Tally } from "./tally.ts";

export interface JobOptions {
  /** Part of every name the job has on the bus. Default: random. */
  readonly job?: string | undefined;
  /** Into how many parts the words are dealt. Default 4. */
  readonly partitions?: number | undefined;
  /** About how many bytes of text a task is. Default: a 64th of all, between 64 KiB and 4 MiB. */
  readonly taskBytes?: number | undefined;
  /** How long a task, partition or letter stays held by a worker that has died. Default 10 000. */
  readonly leaseMs?: number | undefined;
  /** Letters carry so many characters at most, each at most three bytes. Default 262 144. */
  readonly letterChars?: number | undefined;
}

export interface JobResult {
  readonly job: string;
  readonly words: ReadonlyMap<string, number>;
  /** All words, repeated ones repeatedly. */
  readonly total: number;
  readonly files: number;
  readonly bytes: number;
  readonly tasks: number;
  readonly partitions: number;
  /** What could not be read: its words are not, or not all, among these. */
  readonly unread: readonly Unread[];
  readonly durationMs: number;
}

/** A job that is known on the bus. Its service answers until it is disposed. */
export interface Job extends AsyncDisposable {
  readonly id: string;
  readonly status: JobStatus;
  /** Once. Has the documents counted by whatever workers there are; "aborted" by the signal. */
  run(listing: Listing, signal?: AbortSignal): Promise<JobResult>;
}

/** Makes a job known: from now on its status can be asked for. "invalid" options are refused at once. */
export async function openJob(bus: Bus, options: JobOptions = {}): Promise<Job> {
  const id = options.job ?? newJobId();
  checkJobId(id);
  for (const name of ["partitions", "taskBytes", "leaseMs", "letterChars"] as const) {
    const value = options[name];
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new BusError("invalid", `${name}: ${value} is no whole number of at least 1`);
  }
  const tally = new Tally(id);
  const status = new JobStatus(tally);
  const report = await reportProgress(bus, id, tally);
  try {
    const server = await bus.serve(serviceAddress(id), status.service(), { description: "where a word count stands" });
    return {
      id,
      status,
      run: (listing, signal) => new Coordinator(bus, id, options, status).run(listing, signal),
      [Symbol.asyncDispose]: async () => {
        await Promise.all([server[Symbol.asyncDispose](), report[Symbol.asyncDispose]()]);
      },
    };
  } catch (error) {
    await report[Symbol.asyncDispose]();
    throw error;
  }
}

/** A whole job: opens it, runs it, closes it. */
export async function runCoordinator(
  bus: Bus,
  listing: Listing,
  options: JobOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<JobResult> {
  const job = await openJob(bus, options);
  try {
    return await job.run(listing, options.signal);
  } finally {
    await job[Symbol.asyncDispose]();
  }
}

/** How long to try to tell the workers that the job has finished. */
const tellMs = 5_000;
/** Tuples go out in batches of about so many characters of paths. */
const batchChars = 256 * 1024;

class Coordinator {
  readonly #bus: Bus;
  readonly #job: string;
  readonly #options: JobOptions;
  readonly #status: JobStatus;
  readonly #tally: Tally;

  constructor(bus: Bus, job: string, options: JobOptions, status: JobStatus) {
    this.#bus = bus;
    this.#job = job;
    this.#options = options;
    this.#status = status;
    this.#tally = status.tally;
  }

  async run(listing: Listing, given: AbortSignal | undefined): Promise<JobResult> {
    const lost = new AbortController();
    const signal = given === undefined ? lost.signal : AbortSignal.any([given, lost.signal]);
    const space = await this.#bus.space(spaceName);
    const partitions = this.#options.partitions ?? 4;
    const watch = this.#bus.status()[Symbol.asyncIterator]();
    void this.#watchLoss(watch, space, (error) => lost.abort(error));
    let outcome: Outcome = "failed";
    try {
      const bytes = listing.documents.reduce((sum, document) => sum + document.bytes, 0);
      const { tasks, unread } = await splitDocuments(
        listing.documents,
        this.#options.taskBytes ?? defaultTaskBytes(bytes),
      );
      this.#tally.extent = { files: listing.documents.length, bytes, tasks: tasks.length, partitions };
      const found = await this.#count(space, tasks, partitions, signal);
      const result = this.#result(found, [...listing.unread, ...unread]);
      outcome = "done";
      this.#status.finish(result.words);
      return result;
    } catch (error) {
      if (lost.signal.aborted) throw lost.signal.reason;
      if (!signal.aborted) throw error;
      outcome = "cancelled";
      throw new BusError("aborted", "the job was aborted by its signal", { cause: signal.reason });
    } finally {
      await watch.return?.();
      this.#tally.end(outcome);
      await this.#finish(space, partitions, outcome);
    }
  }

  /** Hands the tasks out, and collects the partitions. */
  async #count(
    space: TupleSpace,
    tasks: readonly (readonly Range[])[],
    partitions: number,
    signal: AbortSignal,
  ): Promise<Found> {
    const found: Found = { words: new Map(), unread: [] };
    // Nothing to count: nobody is needed.
    if (tasks.length === 0) return found;
    const leaseMs = this.#options.leaseMs ?? 10_000;
    const boxOptions = { leaseMs, maxAttempts: letterAttempts };
    const results = await this.#bus.mailbox<Piece>(resultsAddress(this.#job), boxOptions);
    for (let i = 0; i < partitions; i++) await this.#bus.mailbox(partitionAddress(this.#job, i), boxOptions);
    const letterChars = this.#options.letterChars ?? 256 * 1024;
    await this.#handOut(space, tasks, { tasks: tasks.length, partitions, leaseMs, letterChars }, signal);
    await collect(results, partitions, found, signal);
    return found;
  }

  /** What is put out twice, because nobody knows whether it was put out once, is done twice and counted once. */
  async #handOut(
    space: TupleSpace,
    tasks: readonly (readonly Range[])[],
    plan: Plan,
    signal: AbortSignal,
  ): Promise<void> {
    const job = this.#job;
    await persist(() => space.out(["job", job, plan], { signal }), signal);
    this.#tally.phase = "counting";
    const places = Array.from({ length: plan.partitions }, (_, i) => ["partition", job, i] as const);
    await persist(() => space.outMany(places), signal);
    let batch: (readonly ["task", string, number, readonly (readonly [string, number, number])[]])[] = [];
    let chars = 0;
    for (const [number, ranges] of tasks.entries()) {
      batch.push(["task", job, number, ranges.map(({ path, start, end }) => [path, start, end])]);
      for (const { path } of ranges) chars += path.length;
      if (chars < batchChars && number < tasks.length - 1) continue;
      const ready = batch;
      await persist(() => space.outMany(ready), signal);
      batch = [];
      chars = 0;
    }
  }

  #result(found: Found, unread: readonly Unread[]): JobResult {
    const { files, bytes, tasks, partitions } = this.#tally.extent;
    let total = 0;
    for (const count of found.words.values()) total += count;
    return {
      job: this.#job,
      words: found.words,
      total,
      files,
      bytes,
      tasks,
      partitions,
      unread: [...unread, ...found.unread],
      durationMs: this.#tally.progress().elapsedMs,
    };
  }

  /** A broker that was restarted may have forgotten the job: nobody would ever finish it. */
  async #watchLoss(
    watch: AsyncIterator<BusStatus>,
    space: TupleSpace,
    onLoss: (error: BusError) => void,
  ): Promise<void> {
    try {
      for (let next = await watch.next(); !next.done; next = await watch.next()) {
        if (next.value.kind !== "reconnected" || this.#tally.phase !== "counting") continue;
        if ((await space.rdp(["job", this.#job, Object])) !== undefined) continue;
        onLoss(new BusError("unavailable", "the broker has come back without the job: it was restarted; run it again"));
      }
    } catch {
      // The connection is gone for good, and whatever waits on it fails by itself.
    }
  }

  /** Tells the workers, and leaves nothing of the job on the bus but that, for a while. */
  async #finish(space: TupleSpace, partitions: number, outcome: Outcome): Promise<void> {
    // A bus that is gone takes all of it along.
    const told = space.out(["finished", this.#job, outcome], { leaseMs: finishedLeaseMs, timeoutMs: tellMs });
    await Promise.allSettled([told, clearJob(this.#bus, this.#job, partitions)]);
  }
}

interface Found {
  readonly words: Map<string, number>;
  readonly unread: Unread[];
}

async function collect(results: Mailbox<Piece>, partitions: number, found: Found, signal: AbortSignal): Promise<void> {
  const assembly = new Assembly();
  for await (const letter of await results.receive({ maxInFlight: lettersInFlight, signal })) {
    const text = assembly.add(letter.data);
    await letter.ack();
    if (text === undefined) continue;
    const { words, counts, unread } = decodePartial(text);
    if (words !== "") for (const [index, word] of words.split(" ").entries()) found.words.set(word, counts[index]!);
    found.unread.push(...unread);
    if (assembly.size === partitions) return;
  }
  throw new BusError("aborted", "collecting the results was given up", { cause: signal.reason });
}
