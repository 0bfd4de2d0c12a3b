import { setTimeout as sleep } from "node:timers/promises";
import { BusError, type Formal, type Lease, oneOf, prefix, type TupleSpace } from "@quadrant/bus";
import { strategyOf } from "../bots/strategies.ts";

/**
 * The lobby is a tuple space in which players and matchmakers meet without knowing each other:
 *   ["seeking", game, ticket, Seeker]     a player waits. Taken by a matchmaker, or by the player who has changed their mind
 *   ["seated", game, ticket, Seating]     its answer. Stays until its lease ends: it tells other matchmakers that the ticket is used
 *   ["bot-wanted", game, match]           a match with an open seat for any bot
 * No token is in it: a seeker gives the hash of the one it keeps.
 */
export const lobbyName = "games-lobby";

export interface Seeker {
  readonly name: string;
  readonly rating: number;
  /** SHA-256 of the token of the seat, in hexadecimal. */
  readonly tokenHash: string;
  /** What the match is to be like. Only seekers with the same options are paired. */
  readonly options: { readonly [option: string]: null | boolean | number | string };
}

export interface Seating {
  readonly match: string;
  readonly seat: 0 | 1;
  readonly seekers: readonly [Seeker, Seeker];
}

/** After so long without a sign of life of its player, a seeker is gone. */
const seekerLeaseMs = 30_000;
const renewEveryMs = 5_000;
const retryMs = 200;
/** Longer than a matchmaker can hold a seeker unseen. */
const absentMs = 25_000;
/** How long a matchmaker may take over a pair. */
export const pairingLeaseMs = 10_000;
export const seatedLeaseMs = 120_000;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** undefined where it is none: anybody can put anything into a space. */
export function readSeeker(field: unknown): Seeker | undefined {
  if (!isRecord(field) || !isRecord(field.options)) return undefined;
  const { name, rating, tokenHash } = field;
  if (typeof name !== "string" || typeof tokenHash !== "string" || !Number.isFinite(rating)) return undefined;
  return field as unknown as Seeker;
}

function readSeating(field: unknown): Seating | undefined {
  if (!isRecord(field) || typeof field.match !== "string" || !Array.isArray(field.seekers)) return undefined;
  return field.seat === 0 || field.seat === 1 ? (field as unknown as Seating) : undefined;
}

/** Seekers with the same can be paired. */
export function kindOf(game: string, { options }: Seeker): string {
  return JSON.stringify([game, ...Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/**
 * Waits in the lobby until a matchmaker has found an opponent. The signal withdraws: "aborted", and nobody is seated with this
 * ticket, unless that had just happened; then it resolves. A player who dies is gone from the lobby within 30 seconds.
 */
export async function takeSeat(
  lobby: TupleSpace,
  {
    game,
    ticket,
    seeker,
    signal,
  }: {
    readonly game: string;
    readonly ticket: string;
    readonly seeker: Seeker;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Seating> {
  const withdrawn = (): boolean => signal?.aborted === true;
  if (withdrawn()) throw new BusError("aborted", "aborted before it sought a seat");
  const seated = ["seated", game, ticket, Object] as const;
  let lease = await enter(lobby, game, ticket, seeker);
  let absentSince = lease === undefined ? Number.NEGATIVE_INFINITY : undefined;
  while (!withdrawn()) {
    try {
      const timeoutMs = lease === undefined ? retryMs : renewEveryMs;
      const seating = readSeating((await lobby.rd(seated, { timeoutMs, signal }))[3]);
      if (seating !== undefined) return seating;
    } catch (error) {
      if (withdrawn()) break;
      if (!(error instanceof BusError) || !(error.retryable || error.code === "timeout")) throw error;
      if (error.code !== "timeout") await sleep(retryMs);
    }
    const alive = await lease?.renew(seekerLeaseMs).then(
      () => true,
      () => false,
    );
    // A matchmaker may hold it, or the broker has lost it, which shows only with time.
    if (alive === true) absentSince = undefined;
    else absentSince ??= performance.now();
    if (absentSince === undefined || performance.now() - absentSince < absentMs) continue;
    lease = await enter(lobby, game, ticket, seeker);
    absentSince = lease === undefined ? Number.NEGATIVE_INFINITY : undefined;
  }
  return withdraw(lobby, game, ticket);
}

/** undefined where the broker is away: nothing has happened. */
async function enter(lobby: TupleSpace, game: string, ticket: string, seeker: Seeker): Promise<Lease | undefined> {
  try {
    return await lobby.out(["seeking", game, ticket, { ...seeker }], { leaseMs: seekerLeaseMs });
  } catch (error) {
    if (error instanceof BusError && error.code === "unavailable") return undefined;
    throw error;
  }
}

/** Whichever of the two there is: the seeker, which is thereby gone, or its seat. */
async function withdraw(lobby: TupleSpace, game: string, ticket: string): Promise<Seating> {
  const either = [oneOf("seeking", "seated"), game, ticket, Object] as const;
  const found = await lobby.in(either, { timeoutMs: absentMs }).catch((error: unknown) => {
    // Longer than anybody could hold it: its lease has ended.
    if (error instanceof BusError && error.code === "timeout") return undefined;
    throw error;
  });
  const seating = found?.[0] === "seated" ? readSeating(found[3]) : undefined;
  if (seating !== undefined) return seating;
  throw new BusError("aborted", "withdrawn from the lobby by its signal");
}

/** The games that bots play, as holes of a template. */
export const botGames: readonly Formal<string>[] = [
  oneOf("tictactoe", "connect4", "nim", "nim-misere", "battleship"),
  prefix("tictactoe-"),
];

/** Puts a match with an open seat where any bot finds it. It stays until one has taken it, or the lease ends. "invalid" where no bot plays the game. */
export async function askForBot(lobby: TupleSpace, game: string, match: string, leaseMs = 60_000): Promise<void> {
  if (strategyOf(game) === undefined) throw new BusError("invalid", `no bot plays ${game}`);
  await lobby.out(["bot-wanted", game, match], { leaseMs });
}
