import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { count } from "../option.ts";
import type { OpenSession, Session } from "../session.ts";

interface StartOptions {
  readonly workers?: number;
  readonly reducers?: number;
  readonly top: number;
  readonly once?: boolean;
}

const help = `
Starts a hub and worker processes, counts the words of every text file below the folder, prints the most frequent ones,
and stays up, to be looked at from a second terminal, until Ctrl-C. Without a folder: the documentation of the installed
packages, node_modules/**/*.md. \`quadrant help mapreduce run\` says what a text file is.
The hub listens at --url, else at zmq://127.0.0.1:7227, else, if that is taken, at a free port.`;

export function configure(command: Command, open: OpenSession): void {
  command
    .argument("[folder]", "what to count (default: node_modules/**/*.md)")
    .option("-w, --workers <n>", "worker processes (default: one a core)", count)
    .option("-r, --reducers <n>", "into how many parts the words are dealt (default: one a worker)", count)
    .option("--top <n>", "how many of the most frequent words to print", count, 20)
    .option("--once", "end when the words are counted")
    .addHelpText("after", help)
    .action(async (folder: string | undefined, options: StartOptions) => {
      await start(open(command), folder, options);
    });
}

async function start(session: Session, folder: string | undefined, options: StartOptions): Promise<void> {
  const { runMainJob } = await import("../main-job.ts");
  const workers = options.workers ?? availableParallelism();
  await runMainJob(session, {
    folders: [folder ?? "node_modules"],
    endings: folder === undefined ? [".md"] : undefined,
    workers,
    reducers: options.reducers ?? workers,
    top: options.top,
    once: options.once === true,
  });
}
