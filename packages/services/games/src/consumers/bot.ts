import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bus, BusError, type Claim, type Formal, type TupleSpace } from "@quadrant/bus";
import { strategyOf } from "../bots/strategies.ts";
import type { Strategy } from "../bots/strategy.ts";
import { matchState } from "../follow.ts";
import { openPlayer, type Player, type Seated } from "../player.ts";
import { botGames, lobbyName } from "./lobby.ts";
import { untilStopped } from "./running.ts";

/**
 * The seats of bots, a space of its own because it holds their tokens:
 *   ["seat", bot, game, match, token]     held by the process that plays it, for as long as the match goes on
 */
export const botSeatsName = "games-bots";

export interface BotOptions {
  /** Under which it plays. Processes of one name share its matches, and take over from each other. Default "Bot". */
  readonly name?: string | undefined;
  /** How many matches it plays at once; others wait. Default 256. */
  readonly concurrency?: number | undefined;
  /** How long a match waits for another process where this one has died. Default 10 000. */
  readonly leaseMs?: number | undefined;
}

const acceptMs = 10_000;
const failedPauseMs = 500;

/**
 * A player like any other, who sits down in matches that ask for a bot. A match whose bot is killed is continued by another
 * process of its name, or by the next that starts: the seat's token lies in the space of bots, and whoever claims it plays.
 */
export async function startBot(bus: Bus, options: BotOptions = {}): Promise<AsyncDisposable> {
  const { name = "Bot", concurrency = 256, leaseMs = 10_000 } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) throw new BusError("invalid", "concurrency: 1 or more");
  const [lobby, seats] = await Promise.all([bus.space(lobbyName), bus.space(botSeatsName)]);
  const player = await openPlayer(bus, { name });
  const playing = new Set<Promise<void>>();
  const accepting = botGames.map((games) => untilStopped((signal) => accept(lobby, seats, name, games, signal)));
  const sitting = untilStopped(async (signal) => {
    const held = await seats.claim(["seat", name, String, String, String], { leaseMs, signal });
    const played = sit(bus, player, held, leaseMs, signal).finally(() => playing.delete(played));
    playing.add(played);
    if (playing.size >= concurrency) await Promise.race(playing);
  });
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all([...accepting, sitting].map((each) => each[Symbol.asyncDispose]()));
      await Promise.all(playing);
      await player[Symbol.asyncDispose]();
    },
  };
}

/** From a match that asks for a bot to a seat with a token, which any process of this bot may hold. */
async function accept(
  lobby: TupleSpace,
  seats: TupleSpace,
  bot: string,
  games: Formal<string>,
  signal: AbortSignal,
): Promise<void> {
  const wanted = await lobby.claim(["bot-wanted", games, String], { leaseMs: acceptMs, signal });
  try {
    const [, game, match] = wanted.tuple;
    // Twice, should it die before the acknowledgement: of two tokens the referee takes the first.
    await seats.out(["seat", bot, game, match, randomBytes(24).toString("base64url")]);
    await wanted.ack();
  } finally {
    await wanted[Symbol.asyncDispose]();
  }
}

type HeldSeat = Claim<readonly ["seat", string, string, string, string]>;

/** Plays one match to its end, then lets the seat go. What fails leaves the seat to whoever claims it next. */
async function sit(bus: Bus, player: Player, held: HeldSeat, leaseMs: number, stopped: AbortSignal): Promise<void> {
  const [, , game, match, token] = held.tuple;
  const signal = AbortSignal.any([stopped, held.signal]);
  const renewing = setInterval(() => void held.extend(leaseMs).catch(() => undefined), leaseMs / 3);
  try {
    const strategy = strategyOf(game);
    const seated = strategy === undefined ? undefined : await takeUp(player, match, token);
    if (seated !== undefined && strategy !== undefined) await play(bus, seated, strategy, signal);
    if (!signal.aborted) await held.ack();
  } catch (error) {
    if (!signal.aborted && !(error instanceof BusError)) process.emitWarning(error as Error);
    await sleep(failedPauseMs, undefined, { signal }).catch(() => undefined);
  } finally {
    clearInterval(renewing);
    await held[Symbol.asyncDispose]();
  }
}

/** undefined where the match has no seat for this token: another bot was quicker, or the match was taken back. */
async function takeUp(player: Player, match: string, token: string): Promise<Seated | undefined> {
  const none =
    (...codes: string[]) =>
    (error: unknown): undefined => {
      if (!(error instanceof BusError) || !codes.includes(error.code)) throw error;
    };
  const resumed = await player.resume({ match, token }).catch(none("denied", "invalid"));
  return resumed ?? (await player.join(match, { token }).catch(none("conflict", "invalid")));
}

async function play(bus: Bus, seated: Seated, strategy: Strategy, signal: AbortSignal): Promise<void> {
  const { match, token, seat } = seated;
  // What went before is over: of a match that is taken up again, the last step alone asks for a move.
  const from = (await matchState(bus, { match, token }))?.version ?? 1;
  for await (const { version, view } of seated.follow({ from: Math.max(1, from), signal })) {
    if (view.state === "ended") return;
    if (view.drawOfferedBy !== null && view.drawOfferedBy !== seat) await seated.declineDraw({ signal });
    else if (view.toMove === seat) {
      await seated.move(strategy(view.board, seat, Math.random), { expectedVersion: version, signal });
    }
  }
}
