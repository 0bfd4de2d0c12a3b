import { BusError } from "./errors.ts";
import { maxNameBytes } from "./subject.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const forbidden = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const plainAscii = /^[\x20-\x7E]*$/;

/** Throws "invalid" unless `value` is undefined or 1 to 255 bytes of text without control characters. */
export function checkId(name: "id" | "key", value: string | undefined): void {
  if (value === undefined) return;
  if (typeof value !== "string" || value.length === 0)
    throw new BusError("invalid", `${name}: give a string of at least one character, not ${JSON.stringify(value)}`);
  if (value.length > maxNameBytes || (!plainAscii.test(value) && new TextEncoder().encode(value).length > maxNameBytes))
    throw new BusError(
      "invalid",
      `${name}: ${JSON.stringify(`${value.slice(0, 40)}…`)} is longer than ${maxNameBytes} bytes`,
    );
  if (forbidden.test(value) || !value.isWellFormed())
    throw new BusError("invalid", `${name}: ${JSON.stringify(value)} has a control character or a lone surrogate`);
}
