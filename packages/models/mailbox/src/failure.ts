import type { Failure } from "@quadrant/contract";

/** Texts of errors travel as far as the dead letters; a longer one is cut. */
const maxMessageLength = 1024;

function codeOf(error: Error): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" && code !== "" ? code : error.name;
}

/** What a dead letter tells of an error: its own code, else its name, and its message. */
export function failureOf(error: unknown): Failure {
  const code = error instanceof Error ? codeOf(error) : "Error";
  const message = error instanceof Error ? error.message : String(error);
  return { code: code.slice(0, 64), message: message.slice(0, maxMessageLength).toWellFormed() };
}
