/**
 * Names and patterns, validated in one place before anything is sent.
 *
 *   name     = token *("." token), at most 255 bytes of UTF-8
 *   token    = one or more visible characters, none of `.`, `*`, `>`; no white space, control or format character, no
 *              lone surrogate
 *   pattern  = a name in which a whole token may be `*` (exactly one token) and the last may be `>` (one or more)
 *
 * The grammar is that of NATS subjects, narrowed: what is legal here is a literal on every broker. Names that begin with
 * `$`, `_INBOX` or `_quadrant` belong to brokers and drivers.
 */
import { BusError } from "./errors.ts";

export const maxNameBytes: number = 255;

// Zs/Zl/Zp: white space; Cc/Cf/Cs/Cn: control, format, lone surrogates, unassigned.
const invisible = /[\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Cn}]/u;
const plainAscii = /^[\x21-\x29\x2B-\x3D\x3F-\x7E]+$/;
const reserved = /^(\$|_INBOX(\.|$)|_quadrant)/i;

/** What kind of name is checked; it appears in the message. */
export type NameKind =
  | "subject"
  | "pattern"
  | "address"
  | "log"
  | "space"
  | "durable"
  | "group"
  | "blob store"
  | "method"
  | "filter";

function fail(kind: NameKind, name: unknown, why: string): never {
  const shown =
    typeof name === "string" ? JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name) : typeof name;
  throw new BusError("invalid", `${shown} is no ${kind}: ${why}`);
}

function checkCharacters(kind: NameKind, name: unknown): asserts name is string {
  if (typeof name !== "string") fail(kind, name, "give a string");
  if (name.length === 0) fail(kind, name, "it is empty");
  if (name.length > maxNameBytes || (!plainAscii.test(name) && new TextEncoder().encode(name).length > maxNameBytes)) {
    fail(kind, name, `it is longer than ${maxNameBytes} bytes`);
  }
}

function checkTokens(kind: NameKind, name: string, wildcards: boolean): void {
  const tokens = name.split(".");
  for (const [index, token] of tokens.entries()) {
    if (token.length === 0) fail(kind, name, "it has an empty token: no leading, trailing or doubled dot");
    if (invisible.test(token)) fail(kind, name, "it has white space, a control character or a lone surrogate");
    if (!token.includes("*") && !token.includes(">")) continue;
    if (!wildcards) fail(kind, name, "it has a wildcard; `*` and `>` belong in patterns");
    if (token === "*") continue;
    if (token !== ">") fail(kind, name, "a wildcard stands for whole tokens: `*` or `>` alone between dots");
    if (index !== tokens.length - 1) fail(kind, name, "`>` stands only at the end");
  }
  if (reserved.test(name)) fail(kind, name, "names that begin with `$`, `_INBOX` or `_quadrant` are reserved");
}

/** Names that were found valid: who says a name says it again. Forgotten all at once when they are too many. */
const known = new Set<unknown>();
const maxKnown = 4_096;

/** Throws "invalid" unless `name` is a subject, address or other dotted name without wildcards. */
export function checkName(kind: NameKind, name: unknown): asserts name is string {
  if (known.has(name)) return;
  checkCharacters(kind, name);
  checkTokens(kind, name, false);
  if (known.size >= maxKnown) known.clear();
  known.add(name);
}

/** Throws "invalid" unless `name` is one token. */
export function checkToken(kind: NameKind, name: unknown): asserts name is string {
  checkName(kind, name);
  if (name.includes(".")) fail(kind, name, "it is one token, without dots");
}

/** Throws "invalid" unless `pattern` is a name in which wildcards may stand. */
export function checkPattern(kind: NameKind, pattern: unknown): asserts pattern is string {
  checkCharacters(kind, pattern);
  checkTokens(kind, pattern, true);
}

/** Whether a valid pattern matches a valid subject. The plain definition; the engine's trie is checked against it. */
export function matchesSubject(pattern: string, subject: string): boolean {
  if (pattern === subject) return true;
  const wanted = pattern.split(".");
  const tokens = subject.split(".");
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === ">") return tokens.length > i;
    if (i >= tokens.length) return false;
    if (wanted[i] !== "*" && wanted[i] !== tokens[i]) return false;
  }
  return wanted.length === tokens.length;
}

export function isLiteral(pattern: string): boolean {
  return !pattern.includes("*") && !pattern.includes(">");
}
