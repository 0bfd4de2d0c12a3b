import { type Bus, BusError, connect } from "@quadrant/bus";
import { expect, it } from "vitest";
import { perfectNim } from "../bots/nim.ts";
import { strategyOf } from "../bots/strategies.ts";
import { openPlayer, type Seated } from "../player.ts";
import { startGames } from "../start-games.ts";
import { archiveName, readArchived } from "./archive.ts";
import { botSeatsName, startBot } from "./bot.ts";
import { type Leaderboard, leaderboardAddress } from "./leaderboard.ts";

const roles = ["referee", "views"] as const;

/** Plays a seat as a bot would, and says how the match ended. */
async function playOut(seated: Seated): Promise<unknown> {
  const strategy = strategyOf(seated.game);
  for await (const { version, view } of seated.follow()) {
    if (view.state === "ended") return view.result;
    if (view.toMove === seated.seat) {
      await seated.move(strategy?.(view.board, seated.seat, Math.random), { expectedVersion: version });
    }
  }
  return undefined;
}

async function idle(bus: Bus): Promise<void> {
  const seats = await bus.space(botSeatsName);
  await expect.poll(() => seats.count(["seat", String, String, String, String])).toBe(0);
}

it("sits down where it is asked, and plays every game to its end", async () => {
  await using bus = await connect("memory:");
  await using _games = await startGames(bus, { roles });
  await using _bot = await startBot(bus);
  await using player = await openPlayer(bus, { name: "ann" });
  const wishes = [
    ["tictactoe"],
    ["tictactoe", { size: 5, inRow: 4 }],
    ["connect4"],
    ["nim"],
    ["nim-misere"],
    ["battleship"],
  ] as const;
  const results = await Promise.all(
    wishes.map(async ([game, options]) => playOut(await player.playBot(game, { seed: 3, ...options }))),
  );
  expect(results.length).toBe(6);
  for (const result of results) expect(result).toMatchObject({ by: "board" });
  // Both play it perfectly.
  expect(results[0]).toEqual({ winner: null, by: "board" });
  await idle(bus);
  await expect(player.playBot("chess")).rejects.toThrow(BusError);
});

it("a match is gone on with by another process of the bot, from where it stood", async () => {
  await using bus = await connect("memory:");
  await using _games = await startGames(bus, { roles });
  await using player = await openPlayer(bus, { name: "ann" });
  const seated = await player.playBot("nim", { seed: 5 });
  const first = await startBot(bus);
  const strategy = perfectNim(false);
  let stopped = false;
  let result: unknown;
  let second: AsyncDisposable | undefined;
  for await (const { version, view } of seated.follow()) {
    result = view.result;
    if (view.state !== "running") continue;
    if (!stopped) {
      // Between two moves of the bot, with the next one waiting for it.
      stopped = true;
      await first[Symbol.asyncDispose]();
      const seats = await bus.space(botSeatsName);
      expect(await seats.count(["seat", "Bot", "nim", seated.match, String])).toBe(1);
    }
    if (view.toMove === seated.seat) {
      await seated.move(strategy(view.board, seated.seat, Math.random), { expectedVersion: version });
      second ??= await startBot(bus);
    }
  }
  expect(result).toMatchObject({ by: "board" });
  await idle(bus);
  await second?.[Symbol.asyncDispose]();
});

it("of several bots one takes the seat, and none stays with a match that is not there", async () => {
  await using bus = await connect("memory:");
  await using _games = await startGames(bus, { roles });
  const bots = await Promise.all(["Bot", "Bot", "Other"].map((name) => startBot(bus, { name })));
  await using player = await openPlayer(bus, { name: "ann" });
  const results = await Promise.all(Array.from({ length: 10 }, async () => playOut(await player.playBot("tictactoe"))));
  for (const result of results) expect(result).toEqual({ winner: null, by: "board" });
  const taken = await player.playBot("tictactoe");
  await taken.cancel();
  const seats = await bus.space(botSeatsName);
  await seats.out(["seat", "Bot", "nim", "0123456789abcdef", "a-token-of-no-seat-at-all"]);
  await idle(bus);
  for (const bot of bots) await bot[Symbol.asyncDispose]();
});

it("all consumers at once: paired by the matchmaker, rated, archived", async () => {
  await using bus = await connect("memory:");
  await using _games = await startGames(bus);
  await using ann = await openPlayer(bus, { name: "ann" });
  await using bob = await openPlayer(bus, { name: "bob" });
  const [one, other] = await Promise.all([ann.seek("tictactoe"), bob.seek("tictactoe")]);
  expect(one.match).toBe(other.match);
  const [result] = await Promise.all([playOut(one), playOut(other)]);
  expect(result).toEqual({ winner: null, by: "board" });
  const leaderboard = bus.client<Leaderboard>(leaderboardAddress);
  await expect
    .poll(() => leaderboard.player({ name: "ann" }))
    .toMatchObject([{ game: "tictactoe", played: 1, drawn: 1, rating: 1_200 }]);
  const store = await bus.blobs(archiveName);
  await expect.poll(async () => (await store.list()).length).toBe(1);
  const archived = await readArchived(bus, "tictactoe", one.match);
  expect(archived?.length).toBe(10);
  expect(JSON.stringify(archived)).not.toContain("hash");
});
