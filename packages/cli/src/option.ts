import type { Start } from "@quadrant/contract";
import { type Command, InvalidArgumentError, Option } from "commander";

const unitMs: Readonly<Record<string, number>> = { "": 1, ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500`, `500ms`, `2s`, `1.5m`, `1h`, `1d`, in milliseconds. */
export function duration(text: string): number {
  const [, digits, unit] = text.match(/^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/) ?? [];
  const ms = Number(digits) * (unitMs[unit ?? ""] ?? Number.NaN);
  if (!Number.isFinite(ms)) throw new InvalidArgumentError("give milliseconds, or a number with ms, s, m, h or d.");
  return Math.round(ms);
}

function wholeNumber(text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < least) {
    throw new InvalidArgumentError(`give a whole number, at least ${least}.`);
  }
  return value;
}

/** A whole number, at least 1. */
export function count(text: string): number {
  return wholeNumber(text, 1);
}

/** A whole number, at least 0. */
export function sequence(text: string): number {
  return wholeNumber(text, 0);
}

/** `first`, `new`, a sequence, or a time as ISO 8601 writes it. */
export function start(text: string): Start {
  if (text === "first" || text === "new") return text;
  if (/^\d+$/.test(text)) return { seq: count(text) };
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text) : undefined;
  if (time === undefined || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError("give first, new, a sequence, or a time such as 2026-01-31T12:00:00Z.");
  }
  return { time };
}

/** `name=value`, gathered over repetitions. */
export function header(text: string, gathered: Readonly<Record<string, string>> = {}): Record<string, string> {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("give name=value.");
  return { ...gathered, [text.slice(0, equals)]: text.slice(equals + 1) };
}

/** A word, gathered over repetitions. */
export function word(text: string, gathered: readonly string[] = []): string[] {
  return [...gathered, text];
}

export interface CommonOptions {
  readonly url?: string | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly connectTimeout?: number | undefined;
  readonly keyFile?: string | undefined;
  readonly serverKey?: string | undefined;
}

/** The options that every command takes, before or after its name. */
export function addCommonOptions(command: Command): Command {
  return command
    .option("-u, --url <url>", "the bus; else QUADRANT_URL, else zmq://127.0.0.1:7227")
    .option("-j, --json", "data as one JSON object a line")
    .option("-q, --quiet", "no talk on stderr, only warnings and failures")
    .option("--key-file <file>", "this client's keys, by `hub keygen`; else QUADRANT_KEY_FILE")
    .option("--server-key <key>", "the hub's public key; else QUADRANT_SERVER_KEY")
    .option("--connect-timeout <duration>", "how long to try to connect (default: 4s)", duration);
}

/** `--header`, of what sends. */
export function headerOption(): Option {
  return new Option("-H, --header <name=value>", "a header; may be repeated").argParser(header);
}

/** `--text`, of what sends. */
export function textOption(): Option {
  return new Option("-t, --text", "bodies are text, not JSON");
}

/** `--count` and `--timeout`, of what waits for messages. */
export function addLimits(command: Command): Command {
  return command
    .option("-n, --count <n>", "end after so many", count)
    .option("--timeout <duration>", "end when nothing has come for so long; with --count this is a failure", duration);
}

/** `--data` and `--text`, of what prints messages. */
export function addFormats(command: Command): Command {
  return command
    .addOption(new Option("--data", "print only the data, as JSON").conflicts("json"))
    .addOption(
      new Option("-t, --text", "print only the data, strings as they are").conflicts("json").conflicts("data"),
    );
}
