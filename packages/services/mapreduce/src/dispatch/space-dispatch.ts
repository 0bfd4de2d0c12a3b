import type { Claim, TupleSpace } from "@quadrant/bus";
import { keepDoing, persist } from "../persistence.ts";
import type {
  BoardOptions,
  Dispatch,
  Offer,
  Report,
  SourceOptions,
  TakenTask,
  TaskBoard,
  TaskSource,
} from "./dispatch.ts";
import { Hold } from "./hold.ts";

const spaceName = "mapreduce";
/** How many are taken down at once. */
const batch = 1_000;
/** How long a report stays with a master that has died before it kept it. */
const reportLeaseMs = 5_000;

type TaskTuple = readonly ["task", string, string, string];
type ReportTuple = readonly ["report", string, string];

/**
 * By a bag of tasks in the space `mapreduce`: ["task", job, offer, order as JSON] is claimed by whoever is free, and
 * ["report", job, report as JSON] by the master. Neither names the other; the space keeps the leases.
 */
export const spaceDispatch: Dispatch = {
  async board(bus, job, options) {
    const space = await bus.space(spaceName);
    await takeAll(space, ["task", job, String, String]);
    return new SpaceBoard(space, job, options);
  },
  async source(bus, job, options) {
    return new SpaceSource(await bus.space(spaceName), job, options);
  },
  async clear(bus, job) {
    const space = await bus.space(spaceName);
    await takeAll(space, ["task", job, String, String]);
    await takeAll(space, ["report", job, String]);
  },
};

async function takeAll(
  space: TupleSpace,
  template: readonly ["task", string, typeof String, typeof String] | readonly ["report", string, typeof String],
): Promise<void> {
  const never = new AbortController().signal;
  const take = (): Promise<readonly unknown[]> => space.inMany(template, { max: batch });
  while ((await persist(take, never)).length > 0);
}

class SpaceBoard implements TaskBoard {
  readonly #space: TupleSpace;
  readonly #job: string;
  readonly #options: BoardOptions;
  readonly #stop = new AbortController();
  readonly #receiving: Promise<void>;

  constructor(space: TupleSpace, job: string, options: BoardOptions) {
    this.#space = space;
    this.#job = job;
    this.#options = options;
    this.#receiving = keepDoing(() => this.#receive(), this.#stop.signal);
  }

  async offer({ id, order }: Offer): Promise<void> {
    const tuple = ["task", this.#job, id, JSON.stringify(order)] as const;
    await persist(() => this.#space.out(tuple), this.#stop.signal);
  }

  async withdraw(id: string): Promise<void> {
    await this.#space.inp(["task", this.#job, id, String]);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#receiving;
  }

  async #receive(): Promise<void> {
    const wait = { leaseMs: reportLeaseMs, signal: this.#stop.signal };
    const claim = await this.#space.claim(["report", this.#job, String], wait);
    // The next one meanwhile: several reports are kept by one write.
    void this.#keep(claim);
  }

  async #keep(claim: Claim<ReportTuple>): Promise<void> {
    try {
      await this.#options.onReport(JSON.parse(claim.tuple[2]) as Report);
      await claim.ack();
    } catch {
      await claim.nak().catch(() => undefined);
    }
  }
}

class SpaceSource implements TaskSource {
  readonly #space: TupleSpace;
  readonly #job: string;
  readonly #options: SourceOptions;

  constructor(space: TupleSpace, job: string, options: SourceOptions) {
    this.#space = space;
    this.#job = job;
    this.#options = options;
  }

  async take(signal: AbortSignal): Promise<TakenTask> {
    const { leaseMs, signal: end } = this.#options;
    const wait = { leaseMs, signal: AbortSignal.any([signal, end]) };
    const claim = await this.#space.claim(["task", this.#job, String, String], wait);
    return new ClaimedTask(this.#space, this.#job, claim, leaseMs);
  }

  async close(): Promise<void> {}
}

class ClaimedTask implements TakenTask {
  readonly offer: Offer;
  readonly #space: TupleSpace;
  readonly #job: string;
  readonly #claim: Claim<TaskTuple>;
  readonly #hold: Hold;

  constructor(space: TupleSpace, job: string, claim: Claim<TaskTuple>, leaseMs: number) {
    this.#space = space;
    this.#job = job;
    this.#claim = claim;
    this.#hold = new Hold(leaseMs, () => claim.extend(leaseMs), claim.signal);
    const [, , id, order] = claim.tuple;
    this.offer = { id, order: JSON.parse(order) as unknown };
  }

  get signal(): AbortSignal {
    return this.#hold.signal;
  }

  async report(report: Report): Promise<void> {
    try {
      this.#hold.assertHeld();
      const tuple = ["report", this.#job, JSON.stringify(report)] as const;
      // Put out twice, because nobody knows whether it was put out once, it is kept once.
      await persist(() => this.#space.out(tuple), this.signal);
      await this.#claim.ack().catch(() => undefined);
    } finally {
      this.#hold.end();
    }
  }

  async release(): Promise<void> {
    this.#hold.end();
    await this.#claim.nak().catch(() => undefined);
  }
}
