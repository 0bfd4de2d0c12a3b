import { type Bus, BusError } from "@quadrant/bus";
import { type Logged, readLog } from "../match/log-reading.ts";
import { type Names, namesAfter, nobody, Ongoing } from "./ongoing.ts";
import { Ratings, type Standing } from "./rating.ts";
import { untilStopped } from "./running.ts";

export const leaderboardAddress = "games.leaderboard";
const longestTop = 1_000;

/** What is served there. Each answer knows every match that had ended when its server started, or more. */
export interface Leaderboard {
  /** The best of a game, at most 1 000; 10 unless told. */
  top(of: { readonly game: string; readonly limit?: number | undefined }): Promise<readonly Standing[]>;
  /** By game. Empty for a name that has finished no match. */
  player(of: { readonly name: string }): Promise<readonly (Standing & { readonly game: string })[]>;
}

/**
 * Ratings as a projection of the log, made anew from its beginning at each start: nothing is stored that could be lost or counted
 * twice. Any number may run.
 */
export async function startLeaderboard(bus: Bus): Promise<AsyncDisposable> {
  let ratings = new Ratings();
  const caughtUp = Promise.withResolvers<void>();
  caughtUp.promise.catch(() => undefined);
  const projecting = untilStopped(async (signal) => {
    // Anew, should the reading fail: what it had counted is counted again.
    const counted = new Ratings();
    const names = new Ongoing<Names>();
    const show = (): void => {
      ratings = counted;
      caughtUp.resolve();
    };
    for await (const recorded of readLog(bus, signal, show)) count(recorded, names, counted);
  });
  const serving = await bus.serve<Leaderboard>(leaderboardAddress, {
    async top({ game, limit = 10 }) {
      if (typeof game !== "string" || !Number.isInteger(limit) || limit < 1 || limit > longestTop) {
        throw new BusError("invalid", `top: give a game, and a limit of 1 to ${longestTop}`);
      }
      await caughtUp.promise;
      return ratings.top(game, limit);
    },
    async player({ name }) {
      if (typeof name !== "string") throw new BusError("invalid", "player: give a name");
      await caughtUp.promise;
      return ratings.player(name);
    },
  });
  return {
    async [Symbol.asyncDispose]() {
      // Calls that still wait for the beginning of the log.
      caughtUp.reject(new BusError("closed", "this leaderboard is closing"));
      await serving[Symbol.asyncDispose]();
      await projecting[Symbol.asyncDispose]();
    },
  };
}

/** A match counts with its end, once: what follows that is not known here. */
function count({ game, match, entry }: Logged, ongoing: Ongoing<Names>, ratings: Ratings): void {
  let names = ongoing.get(match);
  for (const event of entry.events) {
    if (event.kind === "created") names = nobody;
    if (names === undefined) return;
    names = namesAfter(names, event);
    if (event.kind !== "ended") continue;
    ongoing.delete(match);
    const [first, second] = names;
    if (first === null || second === null) return;
    const { winner } = event.outcome;
    ratings.record(game, first, second, winner === null ? 0.5 : winner === 0 ? 1 : 0);
    return;
  }
  if (names !== undefined) ongoing.set(match, names);
}
