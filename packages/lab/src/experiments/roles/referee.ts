/** Referees matches of Tic-Tac-Toe by the rules alone, over whichever model carries the moves. */
import { decide, evolve, type Match, newMatch, ticTacToe } from "@quadrant/games";
import { defineRole, nowMs, type Role } from "../../site/role.ts";
import { type Inlet, inletOf, outletOf } from "../coupling.ts";
import type { Model } from "../experiment.ts";
import type { Played, Ruling } from "./player.ts";

export interface RefereeInput {
  readonly model: Model;
  /** Where moves come; rulings go to where each player listens: this and its seat. */
  readonly name: string;
}

type Board = Match<ReturnType<typeof game.setup>>;
const game = ticTacToe();

const role: Role<RefereeInput> = defineRole(async (bus, { model, name }) => {
  const matches = new Map<number, Board>();
  const players = new Map<0 | 1, Promise<Inlet>>();
  let [sent, refused] = [0, 0];
  const tell = async (ruling: Ruling, seat: 0 | 1): Promise<void> => {
    const known = players.get(seat) ?? inletOf(model, bus, `${name}.player${seat}`);
    players.set(seat, known);
    await (await known).put({ n: sent++, by: "referee", sentMs: nowMs(), pad: JSON.stringify(ruling) });
  };
  await outletOf(model, bus, name, { inFlight: 1, leaseMs: 30_000, durable: "referee" }, ({ pad }) => {
    const { match: id, seat, move } = JSON.parse(pad!) as Played;
    let match = matches.get(id) ?? newMatch(game, id);
    const decision = decide(game, match, { kind: "move", seat, move });
    if ("refused" in decision) {
      refused++;
      return;
    }
    for (const event of decision.events) match = evolve(game, match, event);
    matches.set(id, match);
    const ruling: Ruling = { match: id, move, over: match.ended !== undefined };
    // Not awaited: a call that is answered only when the other has moved would be a chain without an end.
    for (const each of [0, 1] as const)
      if (each !== seat || ruling.over) void tell(ruling, each).catch(() => undefined);
  });
  return {
    refused: () => refused,
    ended: () => [...matches.values()].filter(({ ended }) => ended !== undefined).length,
  };
});
export default role;
