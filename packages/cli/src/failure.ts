/** What the shell gets to see: 0 done, 1 failed, 2 wrongly used, 130 interrupted. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Ends a command: one line on stderr, and the exit code. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The command was understood and did not succeed. */
export function failed(message: string): CommandFailure {
  return new CommandFailure(message, exitCodes.failed);
}

/** The command makes no sense as it was given: nothing was done. */
export function misused(message: string): CommandFailure {
  return new CommandFailure(message, exitCodes.usage);
}

/** Thrown by a write to a stdout that nobody reads any more. */
export class ClosedPipe extends Error {
  override readonly name = "ClosedPipe";
}

interface Described {
  readonly message: string;
  readonly exitCode: number;
}

/** Of a BusError, known by its shape: this file is on the way of every start, the bus is not. */
function isBusErrorLike(error: Error): error is Error & { readonly code: string } {
  return error.name === "BusError" && typeof (error as { code?: unknown }).code === "string";
}

const hubHint = "is a hub running there? `quadrant hub` starts one";

function hintFor(code: string, message: string, url: string | undefined): string {
  if (code === "unavailable" && url !== undefined && /^zmq/i.test(url) && !message.includes("quadrant hub")) {
    return `; ${hubHint}`;
  }
  if (code === "no-responder") return "; `quadrant services` lists who serves what";
  return "";
}

/** What to tell of an error, whatever it is, and the exit code it stands for. */
export function describeFailure(error: unknown, url?: string | undefined): Described {
  if (error instanceof CommandFailure) return { message: error.message, exitCode: error.exitCode };
  if (!(error instanceof Error)) return { message: String(error), exitCode: exitCodes.failed };
  if (isBusErrorLike(error)) {
    const exitCode = error.code === "invalid" ? exitCodes.usage : exitCodes.failed;
    return { message: `${error.message}${hintFor(error.code, error.message, url)} (${error.code})`, exitCode };
  }
  return { message: error.message || error.name, exitCode: exitCodes.failed };
}
