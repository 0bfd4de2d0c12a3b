import type { Headers } from "@quadrant/contract";
import type { Output } from "./output.ts";
import { jsonMember, plainText, valueText } from "./value-text.ts";

export interface FormatOptions {
  readonly data?: boolean | undefined;
  readonly text?: boolean | undefined;
}

interface Printable {
  readonly data: unknown;
  readonly headers: Headers;
}

/**
 * Prints a message on its line: with --json `members`, data and headers as an object; with --data or --text the data
 * alone; else `columns` and the data, between tabs.
 */
export async function printMessage(
  output: Output,
  format: FormatOptions,
  message: Printable,
  members: Readonly<Record<string, unknown>>,
  columns: readonly (string | number)[] = [],
): Promise<void> {
  await output.datum({ ...members, data: jsonMember(message.data), headers: message.headers }, () => {
    if (format.text) return plainText(message.data);
    if (format.data) return valueText(message.data);
    return [...columns, valueText(message.data)].join("\t");
  });
}

/** Says how many messages were lost on the way to this command, if any. */
export function tellDropped(output: Output, dropped: number): void {
  if (dropped > 0) output.warn(`${dropped} messages were dropped: they came quicker than they were printed`);
}
