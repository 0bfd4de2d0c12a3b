import { createHash } from "node:crypto";
import type { Outcome, Seat } from "../game.ts";

export const logName = "games";

/** Who sits in a seat. The log never holds a token: `hash` is its SHA-256 in hexadecimal. */
export interface SeatHolder {
  readonly name: string;
  readonly hash: string;
}

export type EndedBy = "board" | "resignation" | "agreement" | "clock" | "cancelled";

/** What happens in a match. */
export type MatchFact =
  | {
      readonly kind: "created";
      readonly seed: number;
      readonly turnMs?: number | undefined;
      readonly seats: readonly [SeatHolder | null, SeatHolder | null];
      readonly rematchOf?: string | undefined;
    }
  | ({ readonly kind: "joined"; readonly seat: Seat } & SeatHolder)
  | { readonly kind: "moved"; readonly seat: Seat; readonly move: unknown }
  | { readonly kind: "draw-offered" | "draw-declined" | "rematch-offered"; readonly seat: Seat }
  | { readonly kind: "rematch-agreed"; readonly seat: Seat; readonly next: string }
  | { readonly kind: "ended"; readonly outcome: Outcome; readonly by: EndedBy };

/** One accepted command, appended whole or not at all. */
export interface Entry {
  readonly v: 1;
  /** Of the command. */
  readonly id: string;
  /** SHA-256 of what it asked for: the same id with another body is another command. */
  readonly asked: string;
  readonly command: string;
  /** Of the match after it: 1 for the first. */
  readonly version: number;
  readonly seat: Seat | null;
  /** The referee's clock, ms since 1970. */
  readonly at: number;
  readonly events: readonly MatchFact[];
}

export const subjectOf = (game: string, match: string): string => `games.${game}.${match}`;

/** undefined where the subject is none of a match. */
export function readSubject(subject: string): { readonly game: string; readonly match: string } | undefined {
  const [games, game, match, ...more] = subject.split(".");
  return games === "games" && game !== undefined && match !== undefined && more.length === 0
    ? { game, match }
    : undefined;
}

/** undefined where it is no entry: anybody with access to the log can append to it. */
export function readEntry(data: unknown): Entry | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { v, id, at, version, events } = data as Partial<Entry>;
  const numbers = typeof at === "number" && typeof version === "number";
  const sound = v === 1 && typeof id === "string" && numbers && Array.isArray(events);
  return sound ? (data as Entry) : undefined;
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
