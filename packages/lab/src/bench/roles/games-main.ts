/** The services of the games, or the players of many matches, in a process of its own. */
import { type Bus, connect } from "@quadrant/bus";
import { type Cell, openPlayer, type Player, type Seated, startGames } from "@quadrant/games";
import { build, encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js";
import { play } from "./role.ts";

export interface Matches {
  readonly url: string;
  readonly matches: number;
  readonly atOnce: number;
}

export interface PlayedMatches {
  readonly seconds: number;
  /** Matches that did not end as they should. */
  readonly broken: number;
  readonly moves: number;
  /** From a move to the step that the other seat sees: nanoseconds, compressed, in base64. */
  readonly latency: string;
}

/** Latencies are held in nanoseconds, up to a minute, to three digits. */
const longestNs = 60_000_000_000;
let bus: Promise<Bus> | undefined;

function busAt(url: string): Promise<Bus> {
  bus ??= connect(url);
  return bus;
}

/** All cells in an order that differs from match to match, the same each time. */
function cellsOf(serial: number): readonly Cell[] {
  const cells = Array.from({ length: 9 }, (_, at) => ({ x: at % 3, y: Math.floor(at / 3) }));
  let state = serial + 1;
  for (let at = cells.length - 1; at > 0; at--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const other = (state >>> 8) % (at + 1);
    [cells[at], cells[other]] = [cells[other]!, cells[at]!];
  }
  return cells;
}

/** Two seats take the cells in turn until the match has ended; returns how many moves that took. */
async function playMatch([one, two]: readonly [Player, Player], serial: number, latency: Histogram): Promise<number> {
  const first = await one.create("tictactoe", { seed: serial });
  const second = await two.join(first.match);
  const seats: readonly Seated[] = [first, second];
  const cells = cellsOf(serial);
  let moves = 0;
  let movedAt = 0;
  const follow = async (seated: Seated): Promise<void> => {
    for await (const { version, view } of seated.follow()) {
      const moved = version - 2;
      // The mover sees it too; it is the other who waits for it.
      if (moved > 0 && (moved - 1) % 2 !== seated.seat) {
        latency.recordValue(Math.min(longestNs, Math.round((performance.now() - movedAt) * 1e6)));
      }
      if (view.toMove !== seated.seat) continue;
      movedAt = performance.now();
      moves++;
      const reply = await seated.move(cells[moved], { expectedVersion: version });
      if (!reply.ok) throw new Error(`${reply.code}: ${reply.message}`);
    }
  };
  try {
    await Promise.all(seats.map(follow));
  } finally {
    await Promise.all(seats.map((seated) => seated[Symbol.asyncDispose]()));
  }
  return moves;
}

async function playMatches({ url, matches, atOnce }: Matches): Promise<PlayedMatches> {
  const opened = await busAt(url);
  const latency = build({ highestTrackableValue: longestNs, numberOfSignificantValueDigits: 3 });
  const players = [await openPlayer(opened, { name: "one" }), await openPlayer(opened, { name: "two" })] as const;
  let begun = 0;
  let moves = 0;
  let broken = 0;
  const began = performance.now();
  const table = async (): Promise<void> => {
    while (begun < matches) {
      const played = await playMatch(players, begun++, latency);
      if (played < 5 || played > 9) broken++;
      moves += played;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(atOnce, matches) }, table));
  } finally {
    for (const player of players) await player[Symbol.asyncDispose]();
  }
  const seconds = (performance.now() - began) / 1_000;
  return { seconds, broken, moves, latency: encodeIntoCompressedBase64(latency) };
}

play<{ serve: { url: string }; play: Matches }>({
  serve: async ({ url }) => {
    await startGames(await busAt(url), { roles: ["referee", "views"] });
  },
  play: playMatches,
});
