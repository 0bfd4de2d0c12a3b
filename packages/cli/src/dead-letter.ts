import type { DeadLetter } from "@quadrant/contract";
import { type Command, InvalidArgumentError } from "commander";
import { count, word } from "./option.ts";
import type { Output } from "./output.ts";
import { jsonMember, valueText } from "./value-text.ts";

export interface RedriveOptions {
  readonly id?: readonly string[];
  readonly limit?: number;
}

/** `--id` and `--limit`, of `redrive`. */
export function addRedriveOptions(command: Command): Command {
  return command
    .option("--id <id>", "only this one; may be repeated", (text: string, gathered: readonly string[] | undefined) => {
      if (text === "") throw new InvalidArgumentError("give the id of a dead letter.");
      return word(text, gathered);
    })
    .option("--limit <n>", "at most so many", count);
}

export async function printDeadLetters(output: Output, letters: readonly DeadLetter<unknown>[]): Promise<void> {
  for (const letter of letters) {
    const { id, attempt, headers, error, sentAt, diedAt, data } = letter;
    await output.datum({ id, attempt, error, sentAt, diedAt, headers, data: jsonMember(data) }, () =>
      [id, diedAt.toISOString(), `${error.code}: ${error.message}`, valueText(data)].join("\t"),
    );
  }
  output.talk(`${letters.length} dead`);
}
