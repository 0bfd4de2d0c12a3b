import { type Bus, BusError, connect } from "@quadrant/bus";
import { expect, it } from "vitest";
import { logName, type MatchFact } from "../match/entry.ts";
import { chance, pick } from "../rules/chance.ts";
import { type Leaderboard, leaderboardAddress, startLeaderboard } from "./leaderboard.ts";
import { Ratings, type Standing } from "./rating.ts";

const names = ["ann", "bob", "cid", "dan"];

const entry = (version: number, events: readonly unknown[]): unknown => ({
  v: 1,
  id: `c${version}`,
  version,
  at: 1,
  events,
});

interface Course {
  readonly subject: string;
  readonly entries: MatchFact[][];
}

/** Matches, interleaved by chance, some of which do not end; and what they come to. */
function courses(count: number, expected: Ratings): readonly Course[] {
  const random = chance(count);
  return Array.from({ length: count }, (_, at) => {
    const [first, second] = [pick(names, random), pick(names, random)];
    const both = random() < 0.5;
    const winner = pick([0, 1, null] as const, random);
    const entries: MatchFact[][] = [
      [{ kind: "created", seed: 1, seats: [{ name: first, hash: "" }, both ? { name: second, hash: "" } : null] }],
    ];
    if (!both) entries.push([{ kind: "joined", seat: 1, name: second, hash: "" }]);
    entries.push([{ kind: "moved", seat: 0, move: { x: 0, y: 0 } }]);
    if (random() < 0.8) {
      entries.push([
        { kind: "moved", seat: 1, move: { x: 1, y: 0 } },
        { kind: "ended", outcome: { winner }, by: "board" },
      ]);
      expected.record("nim", first, second, winner === null ? 0.5 : winner === 0 ? 1 : 0);
    }
    return { subject: `games.nim.m${at}`, entries };
  });
}

const top = (bus: Bus): Promise<readonly Standing[]> =>
  bus.client<Leaderboard>(leaderboardAddress).top({ game: "nim" });

it("comes to the same whether it was there from the start, came late, or was started anew", async () => {
  await using bus = await connect("memory:");
  const log = await bus.log<unknown>(logName);
  const expected = new Ratings();
  const all = courses(40, expected);
  let early: AsyncDisposable | undefined = await startLeaderboard(bus);
  expect(await top(bus)).toEqual([]);
  for (const [at, { subject, entries }] of all.entries()) {
    for (const [before, events] of entries.entries()) await log.append(subject, entry(before + 1, events));
    await log.append("games.nim.other", "no entry of a match");
    if (at !== 20) continue;
    await early[Symbol.asyncDispose]();
    await expect(top(bus)).rejects.toSatisfy((error) => error instanceof BusError && error.code === "no-responder");
    early = await startLeaderboard(bus);
  }
  await expect.poll(() => top(bus)).toEqual(expected.top("nim", 10));
  await early[Symbol.asyncDispose]();
  // Late: its first answer knows all that was there before.
  await using _late = await startLeaderboard(bus);
  expect(await top(bus)).toEqual(expected.top("nim", 10));
  const client = bus.client<Leaderboard>(leaderboardAddress);
  expect(await client.player({ name: "ann" })).toEqual(expected.player("ann"));
  expect(await client.player({ name: "nobody" })).toEqual([]);
  await expect(client.top({ game: "nim", limit: 0 })).rejects.toThrow(BusError);
});

it("a match that goes on after its end in some way counts once", async () => {
  await using bus = await connect("memory:");
  const log = await bus.log<unknown>(logName);
  const ended = { kind: "ended", outcome: { winner: 0 }, by: "resignation" };
  const created = { kind: "created", seed: 1, seats: [{ name: "ann" }, { name: "bob" }] };
  let version = 0;
  for (const events of [[created], [ended], [ended], [{ kind: "rematch-offered", seat: 0 }], [ended]]) {
    await log.append("games.nim.m", entry(++version, events));
  }
  // One whose beginning is not in the log, and one that nobody joined.
  await log.append("games.nim.headless", entry(7, [ended]));
  await log.append("games.nim.alone", entry(1, [{ ...created, seats: [{ name: "cid" }, null] }]));
  await log.append("games.nim.alone", entry(1, [{ ...ended, by: "cancelled" }]));
  await using _leaderboard = await startLeaderboard(bus);
  expect((await top(bus)).map(({ name, played }) => [name, played])).toEqual([
    ["ann", 1],
    ["bob", 1],
  ]);
});
