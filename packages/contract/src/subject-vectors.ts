/** The grammar as a table: shared by the tests of every matcher (naive, trie, brokers). */

export interface MatchVector {
  readonly pattern: string;
  readonly subject: string;
  readonly matches: boolean;
}

const vector = (pattern: string, subject: string, matches: boolean): MatchVector => ({ pattern, subject, matches });

export const matchVectors: readonly MatchVector[] = [
  vector("a", "a", true),
  vector("a", "b", false),
  vector("a", "a.b", false),
  vector("a.b", "a.b", true),
  vector("a.b", "a", false),
  vector("a.b", "a.bc", false),
  vector("a.b", "A.b", false),
  vector("*", "a", true),
  vector("*", "a.b", false),
  vector("*.*", "a.b", true),
  vector("*.*", "a", false),
  vector("*.b", "a.b", true),
  vector("*.b", "a.c", false),
  vector("a.*", "a.b", true),
  vector("a.*", "a", false),
  vector("a.*", "a.b.c", false),
  vector("a.*.c", "a.b.c", true),
  vector("a.*.c", "a.b.d", false),
  vector("a.*.c", "a.c", false),
  vector(">", "a", true),
  vector(">", "a.b.c", true),
  vector("a.>", "a.b", true),
  vector("a.>", "a.b.c.d", true),
  vector("a.>", "a", false),
  vector("a.>", "ab.c", false),
  vector("a.*.>", "a.b", false),
  vector("a.*.>", "a.b.c", true),
  vector("*.>", "a", false),
  vector("*.>", "a.b", true),
  vector("orders.a", "orders.abc", false),
  vector("orders.a.>", "orders.abc.x", false),
  vector("größe.*", "größe.ß", true),
  vector("e\u0301", "\u00e9", false),
  vector("a?b.[x]", "a?b.[x]", true),
  vector("a?b", "axb", false),
  vector("a.*.*.d.>", "a.b.c.d.e.f", true),
  vector("a.*.*.d.>", "a.b.c.x.e.f", false),
  vector("constructor.__proto__", "constructor.__proto__", true),
  vector("*.__proto__", "x.__proto__", true),
];

/** Neither a name nor a pattern. */
export const invalidPatterns: readonly string[] = [
  "",
  ".",
  "a.",
  ".a",
  "a..b",
  "a b",
  "a\tb",
  "a\r\nb",
  "a\u0000b",
  "a\u00a0b",
  "a\u200bb",
  "a\ud800b",
  "a*",
  "*a",
  "a>",
  ">.a",
  "a.>.b",
  "a.**",
  "a.>>",
  "$SYS.x",
  "$JS.API.>",
  "_INBOX.x",
  "_quadrant.x",
  "x".repeat(256),
  "ß".repeat(128),
];

/** Patterns, but no names. */
export const wildcardPatterns: readonly string[] = ["*", ">", "a.*", "a.>", "*.b", "a.*.c"];
