import { setTimeout as sleep } from "node:timers/promises";
import type { Bus } from "@quadrant/bus";
import { openPlayer, type Player, type Reply, type Seated } from "@quadrant/games";
import { judgeLog } from "../games/legality.ts";
import { seeded } from "./seeded.ts";

export interface GamesReport {
  readonly matches: number;
  /** In the log, by rules of its own. */
  readonly ended: number;
  readonly kills: number;
  readonly perSecond: number;
  readonly moveMs: { readonly p50: number; readonly p99: number };
}

/**
 * So many matches at once of two who move at random, while `kill` is called so many times, spread over the matches. Throws where
 * the log is not legal.
 */
export async function playUnderKills(
  bus: Bus,
  { matches, kills, kill, seed }: { matches: number; kills: number; kill: () => Promise<void>; seed: number },
): Promise<GamesReport> {
  await using ann = await openPlayer(bus, { name: "ann" });
  await using bob = await openPlayer(bus, { name: "bob" });
  const random = seeded(seed);
  const times: number[] = [];
  let done = 0;
  const began = performance.now();
  const playing = Promise.all(
    Array.from({ length: matches }, async () => {
      await playOne(await seatsOf(ann, bob), random, times);
      done += 1;
    }),
  );
  const killing = (async () => {
    for (let killed = 0; killed < kills; killed++) {
      // While matches go on: at the first moves, and after each share of the matches.
      while (times.length < (killed * 4 * matches) / kills && done < matches) await sleep(5);
      await kill();
    }
  })();
  await Promise.all([playing, killing]);
  const tookMs = performance.now() - began;
  const ended = [...(await judgeLog(bus)).values()].filter((verdict) => verdict.ended).length;
  times.sort((a, b) => a - b);
  const quantile = (q: number): number => times[Math.floor(q * (times.length - 1))] ?? Number.NaN;
  const moveMs = { p50: quantile(0.5), p99: quantile(0.99) };
  return { matches, ended, kills, perSecond: (1_000 * matches) / tookMs, moveMs };
}

async function seatsOf(ann: Player, bob: Player): Promise<readonly [Seated, Seated]> {
  const first = await ann.create("tictactoe");
  return [first, await bob.join(first.match)];
}

async function playOne(seats: readonly [Seated, Seated], random: () => number, times: number[]): Promise<void> {
  let version = 2;
  const free = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  for (let turn = 0; ; turn++) {
    const [at = 0] = free.splice(Math.floor(random() * free.length), 1);
    const move = { x: at % 3, y: Math.floor(at / 3) };
    const began = performance.now();
    const seat = seats[turn % 2] as Seated;
    const reply: Reply = await seat.move(move, { expectedVersion: version, timeoutMs: 120_000 });
    times.push(performance.now() - began);
    if (!reply.ok) throw new Error(`${seat.match}: ${reply.code}: ${reply.message}`);
    version = reply.version;
    if (reply.view.state === "ended") return;
  }
}
