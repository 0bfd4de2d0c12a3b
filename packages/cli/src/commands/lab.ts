import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  compareRuns,
  comparisonText,
  conduct,
  type DriverName,
  driverNames,
  type Experiment,
  experiments,
  writePage,
  writeReport,
} from "@quadrant/lab";
import { Argument, type Command, Option } from "commander";
import { misused } from "../failure.ts";
import { LabProgress } from "../lab/lab-progress.ts";
import { count } from "../option.ts";
import type { OpenSession, Session } from "../session.ts";

interface RunOptions {
  readonly quick?: true;
  readonly out: string;
  readonly seed: number;
  readonly repetitions?: number;
  readonly driver?: readonly DriverName[];
}

const runHelp = `
An experiment is a name of \`quadrant lab list\`, or a file whose default export is made by defineExperiment of @quadrant/lab.
DIR holds report.html, report.md, results.json, results.csv and plots/ when it is done, and run.jsonl from the beginning: the
same command again goes on where it was stopped. Servers of NATS and Redis are started for it, in containers or as programs.`;

/** How often the page is written while the run goes on. */
const pageMs = 4_000;
const repetitions = { quick: 1, full: 10 } as const;

async function experimentOf(name: string): Promise<Experiment> {
  const known = experiments.find((each) => each.name === name);
  if (known !== undefined) return known;
  const path = resolve(name);
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (!there) throw misused(`no experiment ${name}, and no such file: \`quadrant lab list\` names those there are`);
  const { default: own } = (await import(pathToFileURL(path).href)) as { default?: Experiment };
  if (typeof own?.run === "function" && typeof own.name === "string") return own;
  throw misused(`${name} has no default export made by defineExperiment`);
}

async function run(session: Session, names: readonly string[], options: RunOptions): Promise<void> {
  const { output, signal } = session;
  const chosen = names.length === 0 ? experiments : await Promise.all(names.map(experimentOf));
  const quick = options.quick === true;
  const { out, seed } = options;
  const progress = new LabProgress(output);
  let written = 0;
  try {
    const recorded = await conduct({
      experiments: chosen,
      drivers: options.driver ?? driverNames,
      quick,
      repetitions: options.repetitions ?? (quick ? repetitions.quick : repetitions.full),
      seed,
      out,
      command: ["quadrant lab run", ...(quick ? ["--quick"] : []), `--seed ${seed}`, ...names, `--out ${out}`].join(
        " ",
      ),
      signal,
      progress: {
        begins: (steps, done) => progress.begins(steps, done),
        running: (what) => progress.running(what),
        done: (repetition) => progress.done(repetition),
      },
      page: async (soFar, left) => {
        if (performance.now() - written < pageMs) return;
        written = performance.now();
        await writePage(out, soFar, chosen, left);
      },
    });
    const results = await writeReport(out, recorded, chosen);
    progress.stop();
    if (signal.aborted) output.talk(`stopped: the same command goes on; what there is stands in ${out}/report.html`);
    for (const { name, verdicts } of results) {
      const deviations = verdicts.filter(({ holds }) => !holds);
      const defects = deviations.filter(({ why }) => why === undefined);
      await output.line(
        `${name}: ${verdicts.length - deviations.length} of ${verdicts.length} expectations hold${deviations.length === 0 ? "" : `, ${deviations.length - defects.length} deviations explained, ${defects.length} not`}`,
      );
    }
    await output.line(`${out}/report.html`);
  } finally {
    progress.stop();
  }
}

function configureRun(command: Command, open: OpenSession): void {
  command
    .addArgument(new Argument("[experiment...]", "which experiments").default([], "all"))
    .option("--quick", "few levels, one short repetition: to see that everything runs", undefined)
    .requiredOption("--out <dir>", "the folder for what is found")
    .option("--seed <number>", "the same gives the same order", count, 1)
    .option("--repetitions <number>", "of each cell: default 10, quick 1", count)
    .addOption(new Option("--driver <driver...>", "which drivers").choices(driverNames))
    .addHelpText("after", runHelp)
    .action((names: readonly string[], options: RunOptions) => run(open(command), names, options));
}

function configureList(command: Command, open: OpenSession): void {
  command.action(async () => {
    const { output } = open(command);
    for (const { name, question, factors } of experiments) {
      if (output.json) await output.line(JSON.stringify({ name, question, factors }));
      else await output.line(`${name.padEnd(22)}${question}`);
    }
  });
}

function configureCompare(command: Command, open: OpenSession): void {
  command
    .argument("<a>", "the folder of a run")
    .argument("<b>", "the folder of another: a change, another machine, another broker")
    .action(async (a: string, b: string) => {
      const { output } = open(command);
      const comparison = await compareRuns(a, b, experiments);
      await output.line(output.json ? JSON.stringify(comparison) : comparisonText(comparison));
    });
}

export function configure(command: Command, open: OpenSession): void {
  configureRun(command.command("run").description("run experiments, or go on with a run that was stopped"), open);
  configureList(command.command("list").description("the experiments there are"), open);
  configureCompare(command.command("compare").description("what differs between two runs"), open);
}
