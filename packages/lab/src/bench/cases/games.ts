import type { Bar, Case, Group, Sample, Scale, Variant } from "../case.ts";
import { percentileUs } from "../latency.ts";
import type { PlayedMatches } from "../roles/games-main.ts";
import { type BrokerUse, Scope } from "../scope.ts";

type Over = "memory" | BrokerUse;
/** The one whose cost is the game's own, first: the baseline. */
const drivers: readonly (readonly [string, Over])[] = [
  ["memory:, services and players in one process", "memory"],
  ["the hub", "hub"],
  ["NATS", "nats"],
  ["Redis", "redis"],
];
const warmUpMatches = 20;

/** Players in one process, referee and views in another, but for memory:. */
async function played(scope: Scope, over: Over, matches: number, atOnce: number): Promise<PlayedMatches> {
  const players = await scope.role("games", "players");
  const url = over === "memory" ? "memory:" : (await scope.broker(over)).url;
  const services = over === "memory" ? players : await scope.role("games", "services");
  await services.ask("serve", { url });
  await players.ask<PlayedMatches>("play", { url, matches: warmUpMatches, atOnce });
  return players.ask<PlayedMatches>("play", { url, matches, atOnce });
}

function variant(over: Over, name: string, count: number, atOnce: number, bars: readonly Bar[], value: "rate" | "p99") {
  const measure = ({ divisor }: Scale): Promise<Sample> =>
    Scope.within(async (scope) => {
      const matches = Math.max(atOnce, Math.round(count / divisor));
      const { seconds, broken, latency } = await played(scope, over, matches, atOnce);
      const p99 = percentileUs(latency, 99) / 1_000;
      const figures = { "p50 ms": percentileUs(latency, 50) / 1_000, ...(value === "rate" ? { "p99 ms": p99 } : {}) };
      return { value: value === "rate" ? matches / seconds : p99, lost: broken, figures, latency };
    });
  return { name, bars, measure } satisfies Variant;
}

const throughput: Group = {
  name: "matches of Tic-Tac-Toe, 64 at once",
  unit: "matches/s",
  better: "more",
  variants: drivers.map(([name, over]) => variant(over, name, 1_000, 64, [], "rate")),
};

const latency: Group = {
  name: "from a move to the step that the other player sees, 99th percentile, 4 matches at once",
  unit: "ms",
  better: "less",
  variants: drivers.map(([name, over]) => {
    const bar = over === "hub" ? [] : [{ of: "value", atMost: over === "memory" ? 5 : 15 } as const];
    return variant(over, name, 300, 4, bar, "p99");
  }),
};

export const games: Case = {
  name: "games",
  question: "How many matches does a referee carry, and how soon does a move arrive?",
  groups: () => [throughput, latency],
};
