import type { Games, MatchSummary } from "../games.ts";
import type { JobProgress, Jobs } from "../jobs.ts";
import { Latest } from "./latest.ts";

/** How often the list of matches is read while somebody looks at it. */
const lookMs = 500;
const againMs = 1_000;
const matchesShown = 200;
const jobsShown = 20;

/** What every page that looks at the lobby, or at the jobs, is shown: read once for all of them. */
export class News implements AsyncDisposable {
  readonly matches: Latest<readonly MatchSummary[] | undefined> = new Latest<readonly MatchSummary[] | undefined>(
    undefined,
  );
  readonly jobs: Latest<readonly JobProgress[]> = new Latest<readonly JobProgress[]>([]);
  readonly #ended = new AbortController();
  readonly #work: readonly Promise<void>[];

  constructor(games: Games, jobs: Jobs) {
    this.#work = [this.#readMatches(games), this.#followJobs(jobs)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#work);
  }

  async #readMatches(games: Games): Promise<void> {
    let shown = "";
    while (!this.#ended.signal.aborted) {
      await pause(lookMs, this.#ended.signal);
      if (this.matches.followers === 0 && shown !== "") continue;
      // The bus may be away for a while: then what was known is shown.
      const matches = await games.matches().catch(() => undefined);
      const next = JSON.stringify(matches);
      if (matches === undefined || next === shown) continue;
      shown = next;
      this.matches.set([...matches].sort((a, b) => b.at - a.at).slice(0, matchesShown));
    }
  }

  async #followJobs(jobs: Jobs): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        for await (const progress of jobs.follow(signal)) this.#tell(progress);
      } catch {
        // As with the matches.
      }
      await pause(againMs, signal);
    }
  }

  #tell(progress: JobProgress): void {
    const known = this.jobs.value;
    const at = known.findIndex(({ job }) => job === progress.job);
    this.jobs.set(at < 0 ? [progress, ...known].slice(0, jobsShown) : known.with(at, progress));
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
