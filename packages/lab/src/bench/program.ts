import { writeFile } from "node:fs/promises";
import { Argument, Command, InvalidArgumentError } from "commander";
import type { Case, Scale } from "./case.ts";
import { catalogue } from "./cases/catalogue.ts";
import { environmentText, groupTable } from "./report/terminal.ts";
import { hasMiss } from "./result.ts";
import { run } from "./run.ts";

interface Options {
  readonly quick?: true;
  readonly rounds?: number;
  readonly json?: string;
  readonly html?: string;
  readonly strict?: true;
  readonly profile?: string;
}

const full: Scale = { warmUpMs: 500, measuredMs: 1_500, divisor: 1 };
const quick: Scale = { warmUpMs: 200, measuredMs: 300, divisor: 100 };
const fullRounds = 5;
const quickRounds = 3;

function roundsOf(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1) throw new InvalidArgumentError("give a whole number of rounds.");
  return rounds;
}

function casesOf(names: readonly string[]): readonly Case[] {
  return catalogue.filter(({ name, optional }) => (names.length === 0 ? optional !== true : names.includes(name)));
}

async function bench(names: readonly string[], options: Options, argv: readonly string[]): Promise<number> {
  if (options.profile !== undefined) {
    // Also for the hub, which the test kit starts: each process writes a profile when it ends.
    process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --cpu-prof --cpu-prof-dir=${options.profile}`.trim();
  }
  const isQuick = options.quick === true;
  const { stdout, stderr } = process;
  const result = await run({
    cases: casesOf(names),
    rounds: options.rounds ?? (isQuick ? quickRounds : fullRounds),
    quick: isQuick,
    scale: isQuick ? quick : full,
    command: ["npm run bench", ...(argv.length > 0 ? ["--", ...argv] : [])].join(" "),
    progress: {
      measuring: (what) => void (stderr.isTTY && stderr.write(`\r\x1b[K${what.slice(0, stderr.columns - 1)}`)),
      measured: (group) => {
        if (stderr.isTTY) stderr.write("\r\x1b[K");
        stdout.write(`${groupTable(group)}\n`);
      },
    },
  });
  stdout.write(`\n${environmentText(result)}\n`);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
  if (options.html !== undefined) {
    const { reportPage } = await import("./report/page.ts");
    await writeFile(options.html, reportPage(result));
  }
  return options.strict === true && hasMiss(result) ? 1 : 0;
}

/** Runs one command line; resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let code = 0;
  const names = catalogue.map(({ name }) => name);
  await new Command("bench")
    .description("Measures Quadrant against baselines of the same run, in rounds.")
    .addArgument(new Argument("[case...]", "which cases").choices(names).default([], "all but the optional ones"))
    .option("--quick", "short and small: to see that everything runs, no bar is judged")
    .option(
      "--rounds <number>",
      `how often everything is measured (default ${fullRounds}, quick ${quickRounds})`,
      roundsOf,
    )
    .option("--json <file>", "writes every sample")
    .option("--html <file>", "writes a page with tables and plots")
    .option("--strict", "exit code 1 when a bar is missed, something is not available, or a message was lost")
    .option("--profile <folder>", "every process writes a CPU profile there when it ends")
    .addHelpText(
      "after",
      `\n${catalogue.map((each) => `${each.name.padEnd(12)}${each.question}${each.optional ? " (optional)" : ""}`).join("\n")}`,
    )
    .action(async (chosen: string[], options: Options) => {
      code = await bench(chosen, options, argv);
    })
    .parseAsync([...argv], { from: "user" });
  return code;
}
