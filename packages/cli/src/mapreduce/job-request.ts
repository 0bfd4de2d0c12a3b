import { access } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Coupling, couplings, type Shuffle, type SubmissionRequest, shippedJobs } from "@quadrant/mapreduce";
import { type Command, InvalidArgumentError, Option } from "commander";
import { misused } from "../failure.ts";
import { count, duration, word } from "../option.ts";

/** What `run` and `submit` are told of a job. */
export interface RequestOptions {
  readonly out: string;
  readonly job?: string;
  readonly workers?: number;
  readonly reducers?: number;
  readonly coupling?: Coupling;
  readonly shuffle?: Shuffle;
  readonly option?: Readonly<Record<string, unknown>>;
  readonly ending?: readonly string[];
  readonly splitBytes?: number;
  readonly memory?: number;
  readonly compression?: "none" | "zstd" | "gzip";
  readonly lease?: number;
  readonly attempts?: number;
  readonly skip?: number;
  readonly speculation: boolean;
}

const unitBytes: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** `65536`, `64k`, `16m`, `1g`, in bytes. */
function size(text: string): number {
  const [, digits, unit] = text.toLowerCase().match(/^(\d+)([kmg]?)$/) ?? [];
  const bytes = Number(digits) * (unitBytes[unit ?? ""] ?? Number.NaN);
  if (!Number.isSafeInteger(bytes) || bytes < 1)
    throw new InvalidArgumentError("give bytes, or a number with k, m or g.");
  return bytes;
}

/** `name=value`, JSON or else text, gathered over repetitions. */
function jobOption(text: string, gathered: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("give name=value.");
  const value = text.slice(equals + 1);
  return { ...gathered, [text.slice(0, equals)]: parsed(value) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function skips(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("give a whole number, at least 0.");
  return Number(text);
}

export function addRequestOptions(command: Command): Command {
  return command
    .argument("<job>", `${shippedJobs.join(", ")}, or a module that exports a job`)
    .argument("<inputs...>", "folders, or files; NAME=PATH names an input, for jobs that tell them apart")
    .option("-o, --out <dir>", "the folder of the result", "output")
    .option("-w, --workers <n>", "how many at once (default: one a core)", count)
    .option("-r, --reducers <n>", "into how many parts the result is dealt (default: one a worker)", count)
    .addOption(new Option("-c, --coupling <model>", "how tasks come to workers (default: mailbox)").choices(couplings))
    .addOption(
      new Option("-s, --shuffle <way>", "how map output comes to reducers (default: files)").choices(["files", "bus"]),
    )
    .option("--option <name=value>", "for the job, JSON or text; may be repeated", jobOption)
    .option("--ending <text>", "only files whose names end so, such as .md; may be repeated", word)
    .option(
      "--split-bytes <size>",
      "about so much a map task, such as 16m (default: eight tasks a worker, at most 64m each)",
      size,
    )
    .option("--memory <size>", "what a task may hold in memory beside the runtime (default: 96m)", size)
    .addOption(new Option("--compression <kind>", "of map output").choices(["none", "zstd", "gzip"]))
    .option("--lease <duration>", "how long a task stays with a worker that has died (default: 10s)", duration)
    .option("--attempts <n>", "a task that fails so often fails the job (default: 4)", count)
    .option("--skip <n>", "so many records may fail twice and are left out (default: 16)", skips)
    .option("--no-speculation", "begin no slow task a second time")
    .option("--job <id>", "its id (default: random)");
}

export function requestOf(
  job: string,
  inputs: readonly string[],
  options: RequestOptions,
): SubmissionRequest & { readonly workers: number } {
  const workers = options.workers ?? availableParallelism();
  const { coupling, shuffle, splitBytes, compression } = options;
  return {
    job: options.job,
    reference: { module: moduleOf(job), options: options.option as SubmissionRequest["reference"]["options"] },
    inputs: inputs.map(absolute),
    endings: options.ending,
    out: resolve(options.out),
    workers,
    reducers: options.reducers ?? workers,
    coupling,
    shuffle,
    splitBytes,
    compression,
    memoryBytes: options.memory,
    leaseMs: options.lease,
    maxAttempts: options.attempts,
    maxSkipped: options.skip,
    speculative: options.speculation,
  };
}

/** The name of a shipped job, a URL, or a file. */
function moduleOf(job: string): string {
  return shippedJobs.includes(job) || /^[a-z]+:\/\//.test(job) ? job : pathToFileURL(resolve(job)).href;
}

/** Roles may have other working folders. */
function absolute(input: string): string {
  const [, name, path] = input.match(/^([A-Za-z0-9_-]+=)(.+)$/s) ?? [undefined, "", input];
  return `${name}${resolve(path!)}`;
}

/** Of a job whose roles run on this machine. "wrongly used" where one of its inputs, or its module, is not there. */
export async function assertThere({ inputs, reference }: SubmissionRequest): Promise<void> {
  const module = reference.module.startsWith("file:") ? [new URL(reference.module)] : [];
  const paths = inputs.map((input) => input.replace(/^[A-Za-z0-9_-]+=(?=\/)/, ""));
  for (const path of [...paths, ...module]) {
    await access(path).catch((error: Error) => {
      throw misused(
        `${path instanceof URL ? path.pathname : path} cannot be read (${error.message}): give a folder that exists`,
      );
    });
  }
}
