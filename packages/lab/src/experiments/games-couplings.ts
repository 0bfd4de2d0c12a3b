/**
 * The same hundred matches of Tic-Tac-Toe, with the moves and rulings carried by each model: a referee that knows the rules and
 * two players that know their seat. Measures: `perSecond`, matches; `moveMs`, the median from a move to the next ruling that
 * its player hears; `refused`, moves against the rules, of which there are none where nothing is lost or repeated.
 */
import { median } from "simple-statistics";
import { nowMs } from "../site/role.ts";
import {
  defineExperiment,
  driverNames,
  type Experiment,
  type Finding,
  type Model,
  models,
  type Verdict,
} from "./experiment.ts";

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const roleAt = (name: string): URL => new URL(`./roles/${name}.${extension}`, import.meta.url);

export const gamesCouplings: Experiment = defineExperiment({
  name: "games-couplings",
  question: "What do the same hundred matches cost, when each model in turn carries the moves?",
  factors: { model: models, driver: driverNames },
  measure: {
    perSecond: { unit: "1/s", better: "more", label: "matches a second" },
    moveMs: { unit: "ms", better: "less", label: "from a move to the other's answer, median" },
    ended: { unit: "matches", better: "more", label: "played to the end" },
    refused: { unit: "moves", better: "less", label: "moves against the rules" },
  },
  run: async ({ model: chosen }, site) => {
    const model = chosen as Model;
    const name = site.name;
    const matches = site.quick ? 10 : 100;
    const referee = await site.start(roleAt("referee"), { model, name });
    const players = await Promise.all(
      ([0, 1] as const).map((seat) => site.start(roleAt("player"), { model, name, seat })),
    );
    const began = nowMs();
    const delays = await Promise.all(
      players.map((player, seat) => player.ask<number[]>("play", { matches, opens: seat === 0 })),
    );
    const seconds = (nowMs() - began) / 1_000;
    const [refused, ended] = await Promise.all([referee.ask<number>("refused"), referee.ask<number>("ended")]);
    return { perSecond: matches / seconds, moveMs: median(delays.flat()), ended, refused };
  },
  expect: (findings) => findings.map(verdictOn),
});

function verdictOn({ cell, values }: Finding): Verdict {
  const refused = values.reduce((sum, each) => sum + (each.refused ?? 0), 0);
  const fewest = Math.min(...values.map((each) => each.ended ?? 0));
  const seen = `${refused} moves refused, at least ${fewest} matches ended`;
  return {
    claim: "every match is played to its end, and no move is refused",
    cell,
    holds: refused === 0 && fewest > 0,
    seen,
  };
}
