import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus } from "@quadrant/contract";
import {
  masterAddress,
  newJobId,
  progressSubject,
  type Summary,
  topWords,
  WordResult,
  type WordService,
} from "@quadrant/mapreduce";
import { type HubProcess, startHubProcess } from "./hub-process.ts";
import { type Finished, runWithRoles } from "./mapreduce/job-run.ts";
import { assertDone } from "./mapreduce/summary-text.ts";
import { PageBeside } from "./page/page-beside.ts";
import { defaultUrl, type Session } from "./session.ts";
import { printModels, printWords, type WordSummary, wordSummaryOf } from "./word-count-report.ts";

export interface MainJobOptions {
  readonly folders: readonly string[];
  /** Only files whose names end so; without it, every text file. */
  readonly endings?: readonly string[] | undefined;
  readonly workers: number;
  readonly reducers: number;
  /** How many of the most frequent words to print. */
  readonly top: number;
  /** Whether to end when the words are counted. */
  readonly once: boolean;
}

/** The job on a hub of its own; on one that others use as well, its id is random. */
const ownJob = "words";
/** The space in which the most frequent words lie afterwards, and how many. */
const wordSpace = "words";
const wordsShown = 1_000;
const tellMs = 1_000;

/**
 * The main job: a hub, the roles of MapReduce, the words of every document; then, unless told to end, everything stays up until
 * the session's signal.
 */
export async function runMainJob(session: Session, options: MainJobOptions): Promise<void> {
  const hub = await hubFor(session);
  const url = hub?.url ?? sharedUrl(session.url);
  session.output.talk(hub === undefined ? `on ${url}` : `the hub is at ${url}`);
  const out = await mkdtemp(join(tmpdir(), "quadrant-words-"));
  const { folders: inputs, endings, workers, reducers } = options;
  const job = hub === undefined ? newJobId() : ownJob;
  const request = { job, reference: { module: "word-count" }, inputs, endings, workers, reducers, out };
  // Not for those who only want the words.
  const page = options.once ? undefined : new PageBeside(session, url, hub?.died);
  try {
    await runWithRoles(session, { url, request, hubDied: hub?.died }, (finished) =>
      present(session, options, { url, hub, page }, finished),
    );
  } finally {
    await page?.close();
    await rm(out, { recursive: true, force: true });
    await hub?.[Symbol.asyncDispose]();
  }
}

/** ZeroMQ needs a hub; every other broker is there already, or in this process. */
async function hubFor({ givenUrl }: Session): Promise<HubProcess | undefined> {
  if (givenUrl !== undefined && !/^zmq/i.test(givenUrl)) return undefined;
  return startHubProcess(givenUrl);
}

/** `memory:` is private to each connection, and the page has one of its own. */
function sharedUrl(url: string): string {
  return url === "memory:" ? "memory:quadrant-start" : url;
}

interface Surroundings {
  readonly url: string;
  readonly hub: HubProcess | undefined;
  readonly page: PageBeside | undefined;
}

async function present(
  session: Session,
  options: MainJobOptions,
  { url, hub, page }: Surroundings,
  { bus, summary }: Finished,
): Promise<void> {
  const { output } = session;
  if (summary.outcome !== "done") assertDone(output, summary);
  const result = await WordResult.read(summary.out);
  const description = "the words that were counted";
  const server = await bus.serve(masterAddress(summary.job), result.service(), { description });
  try {
    const top = await bus.client<WordService>(masterAddress(summary.job)).top(options.top);
    const words = wordSummaryOf(summary, result, top);
    const commands = options.once ? [] : commandsFor(session, url, words);
    const shown = await page?.url;
    if (output.json) await output.line(JSON.stringify({ ...words, url: output.mask(url), try: commands, page: shown }));
    else {
      await printWords(output, words);
      await printModels(output, words);
    }
    if (!options.once) {
      const tuples = topWords(result.words, wordsShown);
      if (tuples.length > 0) await (await bus.space(wordSpace)).outMany(tuples);
      if (!output.json) await printCommands(session, commands, shown);
      await stayUp(session, hub, bus, summary);
    }
  } finally {
    await server[Symbol.asyncDispose]();
  }
  assertDone(output, summary);
}

async function printCommands(
  { output }: Session,
  commands: readonly string[],
  page: string | undefined,
): Promise<void> {
  if (page !== undefined) await output.line(`\nplay, and watch jobs, at ${page}`);
  await output.line("");
  await output.line("try in a second terminal:");
  for (const command of commands) await output.line(`  ${command}`);
  output.talk("Ctrl-C ends it all");
}

/** Three things to do with what is up now, as a shell takes them. */
function commandsFor(session: Session, url: string, { job, top }: WordSummary): readonly string[] {
  const program = session.env.npm_lifecycle_event === "start" ? "npm run quadrant --" : "quadrant";
  const bus = url === defaultUrl ? "" : ` --url '${session.output.mask(url)}'`;
  const word = JSON.stringify(top[0]?.word ?? "bus");
  return [
    `${program} sub${bus} 'mapreduce.>'`,
    `${program} call${bus} ${masterAddress(job)} count '${word}'`,
    top.length > 0 ? `${program} rd${bus} ${wordSpace} '[${word}, "?number"]'` : `${program} services${bus}`,
  ];
}

/** Until Ctrl-C, or until the hub has died. Whoever comes meanwhile is told how it went. */
async function stayUp({ signal }: Session, hub: HubProcess | undefined, bus: Bus, summary: Summary): Promise<void> {
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  const told = { job: summary.job, phase: summary.outcome, counters: summary.counters };
  const telling = setInterval(() => {
    bus.publish(progressSubject(summary.job), told).catch(() => undefined);
  }, tellMs);
  try {
    const error = await Promise.race([stopped, ...(hub === undefined ? [] : [hub.died])]);
    if (error !== undefined && !signal.aborted) throw error;
  } finally {
    clearInterval(telling);
  }
}
