import { rename, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { failed } from "../failure.ts";
import { count, duration, word } from "../option.ts";
import type { OpenSession, Session } from "../session.ts";

interface RunOptions {
  readonly workers?: number;
  readonly reducers?: number;
  readonly top: number;
  readonly out?: string;
  readonly ending?: readonly string[];
  readonly lease?: number;
}

interface WorkerCommandOptions {
  readonly reducers: number;
}

const runHelp = `
A word is a maximal run of letters, digits and marks (Unicode L, N, M), in lower case. Every file below the folders whose
first 8 KiB hold no NUL is text, hidden ones included; symbolic links are not followed. With --ending, names decide.
Without --url and QUADRANT_URL it starts a hub of its own. On memory: everything runs in this process.
Exit code 1 where a file could not be read; the rest is counted all the same.`;

function configureRun(command: Command, open: OpenSession): void {
  command
    .argument("<folders...>", "folders, or files")
    .option("-w, --workers <n>", "worker processes (default: one a core)", count)
    .option("-r, --reducers <n>", "into how many partitions the words are dealt (default: one a worker)", count)
    .option("--top <n>", "how many of the most frequent words to print", count, 20)
    .option("-o, --out <file>", "write all words there: WORD, tab, COUNT a line, sorted by bytes")
    .option("--ending <text>", "only files whose names end so, such as .md; may be repeated", word)
    .option("--lease <duration>", "how long the work of a worker that died stays held (default: 10s)", duration)
    .addHelpText("after", runHelp)
    .action((folders: readonly string[], options: RunOptions) => run(open(command), folders, options));
}

function configureWorker(command: Command, open: OpenSession): void {
  command
    .argument("<job>", "its id")
    .option("-r, --reducers <n>", "how many partitions to merge at the same time", count, 1)
    .addHelpText("after", "\nWaits for the job where there is none yet; ends when it has finished.")
    .action(async (job: string, options: WorkerCommandOptions) => {
      const session = open(command);
      const { runWorker } = await import("@quadrant/mapreduce");
      await session.withBus(async (bus) => {
        const outcome = await runWorker(bus, { job, reducers: options.reducers, signal: session.signal });
        session.output.talk(`the job is ${outcome}`);
      });
    });
}

export function configure(command: Command, open: OpenSession): void {
  const add = (name: string, summary: string): Command => command.command(name).description(summary);
  configureRun(add("run", "count the words of every text file below the folders"), open);
  configureWorker(add("worker", "take part in a job that runs elsewhere"), open);
}

async function run(session: Session, folders: readonly string[], options: RunOptions): Promise<void> {
  const { countWords } = await import("../word-count.ts");
  const { startHubProcess } = await import("../hub-process.ts");
  const report = await import("../word-count-report.ts");
  const { output } = session;
  const workers = options.workers ?? availableParallelism();
  const hub = session.givenUrl === undefined ? await startHubProcess("zmq://127.0.0.1:0") : undefined;
  const wanted = {
    folders,
    endings: options.ending,
    workers,
    partitions: options.reducers ?? workers,
    leaseMs: options.lease,
    hubDied: hub?.died,
  };
  try {
    await countWords(session, hub?.url ?? session.url, wanted, async (counted) => {
      const { top } = await report.askJob(counted.bus, counted.result.job, options.top);
      const summary = report.summaryOf(counted, top);
      if (options.out !== undefined) await writeWords(options.out, counted.result.words);
      if (output.json) await output.line(JSON.stringify(summary));
      else await report.printSummary(output, summary);
      report.assertAllRead(output, summary.unread);
    });
  } finally {
    await hub?.[Symbol.asyncDispose]();
  }
}

/** All or nothing: whoever reads the file never finds half of it. */
async function writeWords(file: string, words: ReadonlyMap<string, number>): Promise<void> {
  const { sortedWords } = await import("@quadrant/mapreduce");
  const unfinished = `${file}.${process.pid}.unfinished`;
  try {
    await writeFile(unfinished, textOf(sortedWords(words)));
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw failed(`--out: ${file} could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** In pieces: one string for all might be longer than a string can be. */
function* textOf(words: readonly (readonly [string, number])[]): Generator<string> {
  const atOnce = 10_000;
  for (let i = 0; i < words.length; i += atOnce) {
    yield words
      .slice(i, i + atOnce)
      .map(([each, times]) => `${each}\t${times}\n`)
      .join("");
  }
}
