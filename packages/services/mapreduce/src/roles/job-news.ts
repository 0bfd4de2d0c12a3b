import type { Bus, Message, Subscription } from "@quadrant/bus";
import { eventSubject, type JobEvent } from "./subject.ts";
import type { TaskName } from "./transition.ts";

const buffer = 8_192;

/** What a worker hears of its job: which tasks need not be done any more, and that it has ended. News lost costs work in vain. */
export class JobNews {
  /** Aborts when the job has ended. */
  readonly ended: AbortSignal;
  readonly #ended = new AbortController();
  readonly #events: Subscription<Message<JobEvent>>;
  readonly #following: Promise<void>;
  #round = 1;
  #done = new Set<TaskName>();

  private constructor(events: Subscription<Message<JobEvent>>) {
    this.ended = this.#ended.signal;
    this.#events = events;
    this.#following = this.#follow().catch(() => undefined);
  }

  static async follow(bus: Bus, job: string): Promise<JobNews> {
    return new JobNews(await bus.subscribe<JobEvent>(eventSubject(job), { buffer }));
  }

  isDone(round: number, task: TaskName): boolean {
    return round < this.#round || (round === this.#round && this.#done.has(task));
  }

  async close(): Promise<void> {
    await this.#events[Symbol.asyncDispose]();
    await this.#following;
  }

  async #follow(): Promise<void> {
    for await (const { data } of this.#events) this.#hear(data);
  }

  #hear(event: JobEvent): void {
    if (event.kind === "ended" || event.kind === "ending") this.#ended.abort();
    else if (event.kind === "mapped") this.#done.add(`map-${event.result.index}`);
    else if (event.kind === "reduced") this.#done.add(`reduce-${event.result.partition}`);
    else if (event.kind === "lost") this.#done.delete(event.task);
    else if (event.kind === "next-round") {
      this.#round = event.round;
      this.#done = new Set();
    }
  }
}
