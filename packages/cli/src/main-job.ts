import { topWords } from "@quadrant/mapreduce";
import { type HubProcess, startHubProcess } from "./hub-process.ts";
import { defaultUrl, type Session } from "./session.ts";
import { type Counted, countWords, type WordCountOptions } from "./word-count.ts";
import { askJob, assertAllRead, printModels, printSummary, type Summary, summaryOf } from "./word-count-report.ts";

export interface MainJobOptions extends WordCountOptions {
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

/**
 * The main job: a hub, workers, the words of every document; then, unless told to end, everything stays up until the
 * session's signal.
 */
export async function runMainJob(session: Session, options: MainJobOptions): Promise<void> {
  const hub = await hubFor(session);
  const url = hub?.url ?? session.url;
  session.output.talk(hub === undefined ? `on ${url}` : `the hub is at ${url}`);
  const job = hub === undefined ? options.job : ownJob;
  try {
    await countWords(session, url, { ...options, job, hubDied: hub?.died }, (counted) =>
      present(session, options, url, hub, counted),
    );
  } finally {
    await hub?.[Symbol.asyncDispose]();
  }
}

/** ZeroMQ needs a hub; every other broker is there already, or in this process. */
async function hubFor({ givenUrl }: Session): Promise<HubProcess | undefined> {
  if (givenUrl !== undefined && !/^zmq/i.test(givenUrl)) return undefined;
  return startHubProcess(givenUrl);
}

async function present(
  session: Session,
  options: MainJobOptions,
  url: string,
  hub: HubProcess | undefined,
  counted: Counted,
): Promise<void> {
  const { output } = session;
  const { job, words } = counted.result;
  const { top, progress } = await askJob(counted.bus, job, options.top);
  const summary = summaryOf(counted, top);
  const commands = options.once ? [] : commandsFor(session, url, summary);
  if (output.json) await output.line(JSON.stringify({ ...summary, url: output.mask(url), try: commands }));
  else {
    await printSummary(output, summary);
    await printModels(output, summary, progress);
  }
  if (!options.once) {
    const tuples = topWords(words, wordsShown);
    if (tuples.length > 0) await (await counted.bus.space(wordSpace)).outMany(tuples);
    if (!output.json) await printCommands(session, commands);
    await stayUp(session, hub);
  }
  assertAllRead(output, summary.unread);
}

async function printCommands({ output }: Session, commands: readonly string[]): Promise<void> {
  await output.line("");
  await output.line("try in a second terminal:");
  for (const command of commands) await output.line(`  ${command}`);
  output.talk("Ctrl-C ends it all");
}

/** Three things to do with what is up now, as a shell takes them. */
function commandsFor(session: Session, url: string, { job, top }: Summary): readonly string[] {
  const program = session.env.npm_lifecycle_event === "start" ? "npm run quadrant --" : "quadrant";
  const bus = url === defaultUrl ? "" : ` --url '${session.output.mask(url)}'`;
  const word = JSON.stringify(top[0]?.word ?? "bus");
  return [
    `${program} sub${bus} 'mapreduce.>'`,
    `${program} call${bus} mapreduce.${job} count '${word}'`,
    top.length > 0 ? `${program} rd${bus} ${wordSpace} '[${word}, "?number"]'` : `${program} services${bus}`,
  ];
}

/** Until Ctrl-C, or until the hub has died. */
async function stayUp({ signal }: Session, hub: HubProcess | undefined): Promise<void> {
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  const error = await Promise.race([stopped, ...(hub === undefined ? [] : [hub.died])]);
  if (error !== undefined && !signal.aborted) throw error;
}
