import { rename, writeFile } from "node:fs/promises";
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

export function configure(command: Command, open: OpenSession): void {
  command
    .command("run")
    .description("count the words of every text file below the folders")
    .argument("<folders...>", "folders or files")
    .option("-w, --workers <n>", "worker processes (default: one a core)", count)
    .option("-r, --reducers <n>", "into how many partitions the words are dealt (default: one a worker)", count)
    .option("--top <n>", "how many of the most frequent words to print", count, 20)
    .option("-o, --out <file>", "write all words there: WORD, tab, COUNT a line, sorted by bytes")
    .option("--ending <text>", "only files whose names end so, such as .md; may be repeated", word)
    .option("--lease <duration>", "how long the work of a worker that died stays held (default: 10s)", duration)
    .addHelpText("after", runHelp)
    .action((folders: readonly string[], options: RunOptions) => run(open, command, folders, options));
  command
    .command("worker")
    .description("take part in a job, as long as it goes on")
    .argument("<job>", "its id")
    .option("-r, --reducers <n>", "how many partitions to merge at the same time", count, 1)
    .action(async (job: string, options: WorkerCommandOptions) => {
      const session = open(workerCommand(command));
      const { runWorker } = await import("@quadrant/mapreduce");
      await session.withBus(async (bus) => {
        await runWorker(bus, { job, reducers: options.reducers, signal: session.signal });
      });
    });
}

