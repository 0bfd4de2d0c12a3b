import { Command, CommanderError } from "commander";
import { type CatalogueEntry, catalogue } from "./catalogue.ts";
import { ClosedPipe, describeFailure, exitCodes } from "./failure.ts";
import { Interrupts } from "./interrupt.ts";
import type { Io } from "./io.ts";
import { keysOf } from "./key-file.ts";
import { addCommonOptions, type CommonOptions } from "./option.ts";
import { Output, Pipe } from "./output.ts";
import { Secrets } from "./secret.ts";
import { connected, defaultUrl, type OpenSession, type Session } from "./session.ts";
import { version } from "./version.ts";

const exitCodeHelp = `
Exit codes: 0 done, 1 failed, 2 wrongly used, 130 interrupted. Ctrl-C drains and ends; a second one ends at once.
Data goes to stdout, everything else to stderr. \`quadrant help COMMAND\` tells more.`;

/** What one run shares among its parts. */
interface Run {
  readonly io: Io;
  readonly pipe: Pipe;
  readonly secrets: Secrets;
  readonly interrupts: Interrupts;
  /** The URL that was connected to, for the hints of failures. */
  url: string | undefined;
}

function outputOf(run: Run, settings: { readonly json: boolean; readonly quiet: boolean }): Output {
  return new Output(run.io, run.pipe, run.secrets, settings);
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function sessionOpener(run: Run): OpenSession {
  return (command: Command, argument?: string | undefined): Session => {
    const { io, interrupts, pipe } = run;
    // Options of the inner command win over those given before its name.
    const options: CommonOptions = { ...command.optsWithGlobals<CommonOptions>(), ...command.opts<CommonOptions>() };
    const givenUrl = argument ?? options.url ?? (io.env.QUADRANT_URL || undefined);
    const url = givenUrl ?? defaultUrl;
    const output = outputOf(run, { json: options.json === true, quiet: options.quiet === true });
    const signal = AbortSignal.any([interrupts.signal, pipe.signal]);
    const keys = keysOf(options, io.env);
    const connectTimeoutMs = options.connectTimeout;
    return {
      output,
      get stdin() {
        return io.stdin;
      },
      env: io.env,
      signal,
      givenUrl,
      url,
      keys,
      withBus: (use) => {
        run.url = url;
        return connected({ url, name: fullName(command), connectTimeoutMs, keys, signal, output }, use);
      },
    };
  };
}

function buildProgram(run: Run): Command {
  const program = new Command("quadrant")
    .description("A message bus with four models: publish/subscribe, mailboxes, tuple spaces, direct calls.")
    .version(version(), "-V, --version")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void run.pipe.write(text).catch(() => undefined),
      writeErr: (text) => void run.io.stderr.write(run.secrets.mask(text)),
      outputError: (text) => outputOf(run, { json: false, quiet: false }).fail(text.replace(/^error: /, "").trimEnd()),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText("after", exitCodeHelp);
  addCommonOptions(program);
  for (const entry of catalogue) program.command(entry.name).description(entry.summary);
  return program;
}

/** Which command is asked for, also by `help COMMAND`. */
function entryOf(program: Command, argv: readonly string[]): CatalogueEntry | undefined {
  const { operands } = program.parseOptions([...argv]);
  const name = operands[0] === "help" ? operands[1] : operands[0];
  return catalogue.find((entry) => entry.name === name);
}

/** Gives a command and those below it the options that all take. */
function addEverywhere(command: Command): void {
  addCommonOptions(command);
  for (const inner of command.commands) addEverywhere(inner);
}

async function runProgram(argv: readonly string[], run: Run): Promise<void> {
  const program = buildProgram(run);
  const entry = entryOf(program, argv);
  if (entry !== undefined) {
    const command = program.commands.find((each) => each.name() === entry.name)!;
    const { configure } = await entry.load();
    configure(command, sessionOpener(run));
    addEverywhere(command);
  }
  await program.parseAsync([...argv], { from: "user" });
}

function exitCodeOf(error: unknown, run: Run): number {
  if (run.interrupts.interrupted) return exitCodes.interrupted;
  // `quadrant sub … | head -1` got what it wanted.
  if (error instanceof ClosedPipe || run.pipe.readerGone) return exitCodes.ok;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const { message, exitCode } = describeFailure(error, run.url);
  const output = outputOf(run, { json: false, quiet: false });
  output.fail(message);
  if (run.io.env.QUADRANT_DEBUG && error instanceof Error) output.warn(error.stack ?? "");
  return exitCode;
}

/**
 * Runs one command line and resolves with its exit code: 0 done, 1 failed, 2 wrongly used, 130 interrupted. Never
 * rejects. `argv` is without the names of the runtime and the script.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const secrets = new Secrets([...argv, io.env.QUADRANT_URL]);
  // Nobody may be left to talk to; the work goes on.
  io.stderr.on("error", () => undefined);
  const interrupts = new Interrupts(io, () =>
    outputOf(run, { json: false, quiet: false }).talk("ending; press Ctrl-C again to end at once"),
  );
  const pipe = new Pipe(io.stdout, interrupts.signal);
  const run: Run = { io, pipe, secrets, interrupts, url: undefined };
  try {
    await runProgram(argv, run);
    return interrupts.interrupted ? exitCodes.interrupted : exitCodes.ok;
  } catch (error) {
    return exitCodeOf(error, run);
  } finally {
    await pipe.flush();
    interrupts.close();
  }
}
