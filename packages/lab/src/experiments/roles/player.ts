/** Plays one seat of many matches at once: always the first free cell of an order that the match's number decides. */
import { defineRole, nowMs, type Role } from "../../site/role.ts";
import { inletOf, outletOf } from "../coupling.ts";
import type { Model } from "../experiment.ts";

export interface PlayerInput {
  readonly model: Model;
  readonly name: string;
  readonly seat: 0 | 1;
}

export interface Played {
  readonly match: number;
  readonly seat: 0 | 1;
  readonly move: { readonly x: number; readonly y: number };
}

/** What the referee tells of a move: to the other seat, and to both when it ended the match. */
export interface Ruling {
  readonly match: number;
  readonly move: Played["move"];
  readonly over: boolean;
}

/** The cells in an order that is another for each match, and the same for both of its players. */
function orderOf(match: number): readonly number[] {
  const step = [1, 2, 4, 5, 7, 8][match % 6]!;
  return Array.from({ length: 9 }, (_, at) => (match + at * step) % 9);
}

const role: Role<PlayerInput> = defineRole(async (bus, { model, name, seat }) => {
  const held = new Map<number, Set<number>>();
  const delays: number[] = [];
  const waiting = new Map<number, number>();
  let [over, wanted, done, sent] = [0, 0, Promise.withResolvers<void>(), 0];
  const referee = await inletOf(model, bus, name);
  const play = async (match: number): Promise<void> => {
    const taken = held.get(match) ?? new Set();
    held.set(match, taken);
    const cell = orderOf(match).find((at) => !taken.has(at))!;
    taken.add(cell);
    const move = { x: cell % 3, y: Math.floor(cell / 3) };
    waiting.set(match, nowMs());
    await referee.put({
      n: sent++,
      by: `player${seat}`,
      sentMs: nowMs(),
      pad: JSON.stringify({ match, seat, move } satisfies Played),
    });
  };
  await outletOf(
    model,
    bus,
    `${name}.player${seat}`,
    { inFlight: 1, leaseMs: 30_000, durable: `player${seat}` },
    ({ pad }) => {
      const { match, move, over: ended } = JSON.parse(pad!) as Ruling;
      const began = waiting.get(match);
      if (began !== undefined) delays.push(nowMs() - began);
      waiting.delete(match);
      const taken = held.get(match) ?? new Set();
      held.set(match, taken.add(move.y * 3 + move.x));
      if (!ended) void play(match).catch(() => undefined);
      else if (++over === wanted) done.resolve();
    },
  );
  return {
    /** Opens so many matches; resolves with the times from each own move to the next, once all are over. */
    play: async ({ matches, opens }: { matches: number; opens: boolean }): Promise<readonly number[]> => {
      wanted = matches;
      if (over >= wanted) done.resolve();
      if (opens) for (let match = 0; match < matches; match++) await play(match);
      await done.promise;
      return delays;
    },
  };
});
export default role;
