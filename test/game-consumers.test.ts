import { type Bus, connect } from "@quadrant/bus";
import {
  archiveName,
  type Leaderboard,
  leaderboardAddress,
  lobbyName,
  openPlayer,
  readArchived,
  type Seating,
  strategyOf,
  takeSeat,
} from "@quadrant/games";
import { type BrokerKind, type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Consumers } from "./games/consumers.ts";

/** The consumers of the games as processes that are killed, over each broker. */
describe.each(["zeromq", "nats", "redis"] as const satisfies readonly BrokerKind[])(
  "game consumers over %s",
  (kind) => {
    let broker: StartedBroker;
    let bus: Bus;

    beforeAll(async () => {
      broker = await startBroker(kind);
      bus = await connect(broker.url, broker.options);
    });
    afterAll(async () => {
      await bus.close();
      await broker[Symbol.asyncDispose]();
    });

    it("matchmakers that are killed all the time lose no player and seat none twice", {
      timeout: 120_000,
    }, async () => {
      await using matchmakers = new Consumers(broker.url);
      await Promise.all([matchmakers.start("matchmaker"), matchmakers.start("matchmaker")]);
      const lobby = await bus.space(lobbyName);
      const seated = new Map<string, Seating>();
      const seek = async (ticket: string): Promise<void> => {
        const seeker = { name: ticket, rating: 1_200, tokenHash: `hash of ${ticket}`, options: {} };
        seated.set(ticket, await takeSeat(lobby, { game: "nim", ticket, seeker }));
      };
      const players = 40;
      const seeking: Promise<void>[] = [];
      for (let at = 0; at < players; at++) {
        seeking.push(seek(`p${at}`));
        // One at a time, so that a kill meets a matchmaker at work.
        if (at % 2 === 1) await Promise.race(seeking.slice(-2));
        if (at % 10 === 5) await matchmakers.kill();
      }
      await Promise.all(seeking);
      const byMatch = Map.groupBy(seated.entries(), ([, { match }]) => match);
      expect(byMatch.size).toBe(players / 2);
      for (const pair of byMatch.values()) {
        expect(pair.map(([, { seat }]) => seat).sort()).toEqual([0, 1]);
        for (const [ticket, { seat, seekers }] of pair) expect(seekers[seat].name).toBe(ticket);
      }
      expect(await lobby.count(["seated", String, String, Object])).toBe(players);
    });

    it("archive and leaderboard, killed all the time, keep and count each match once", {
      timeout: 120_000,
    }, async () => {
      await using consumers = new Consumers(broker.url);
      await Promise.all(["archive", "leaderboard"].map((consumer) => consumers.start(consumer)));
      const log = await bus.log<unknown>("games");
      const matches = 60;
      for (let at = 0; at < matches; at++) {
        let version = 0;
        const append = (...events: unknown[]): Promise<unknown> =>
          log.append(`games.nim.m${at}`, { v: 1, id: `c${version}`, version: ++version, at, events });
        await append({ kind: "created", seed: at, seats: [{ name: "ann" }, { name: `p${at}` }] });
        await append({ kind: "moved", seat: 0, move: { heap: 0, take: 1 } });
        await append({ kind: "ended", outcome: { winner: at % 2 }, by: "resignation" });
        if (at % 12 === 5) await consumers.kill();
      }
      const store = await bus.blobs(archiveName);
      await expect.poll(async () => (await store.list()).length, { timeout: 60_000 }).toBe(matches);
      for (const at of [0, 5, matches - 1]) {
        const archived = await readArchived(bus, "nim", `m${at}`);
        expect(archived?.map(({ version, events }) => [version, events[0]?.kind])).toEqual([
          [1, "created"],
          [2, "moved"],
          [3, "ended"],
        ]);
      }
      const leaderboard = bus.client<Leaderboard>(leaderboardAddress);
      const ann = async (): Promise<unknown> => (await leaderboard.player({ name: "ann" }).catch(() => []))[0];
      const half = matches / 2;
      await expect.poll(ann, { timeout: 60_000 }).toMatchObject({ played: matches, won: half, lost: half });
    });

    it("matches against a bot that is killed all the time all end, each rated once", { timeout: 120_000 }, async () => {
      await using consumers = new Consumers(broker.url);
      await using judges = new Consumers(broker.url);
      await Promise.all([judges.start("judges"), consumers.start("bot"), consumers.start("bot")]);
      await using player = await openPlayer(bus, { name: "eve" });
      const matches = 12;
      const play = async (at: number): Promise<unknown> => {
        const seated = await player.playBot(at % 2 === 0 ? "tictactoe" : "connect4", { seed: at });
        let moves = 0;
        for await (const { version, view } of seated.follow()) {
          if (view.state === "ended") return view.result;
          if (view.toMove !== seated.seat) continue;
          const move = strategyOf(seated.game)?.(view.board, seated.seat, Math.random);
          const reply = await seated.move(move, { expectedVersion: version, timeoutMs: 60_000 });
          expect(reply.ok).toBe(true);
          if (++moves === 2 && at % 4 === 0) await consumers.kill();
        }
        throw new Error("it was left before its end");
      };
      const results = await Promise.all(Array.from({ length: matches }, (_, at) => play(at)));
      for (const result of results) expect(result).toMatchObject({ by: "board" });
      for (const at of [0, 2, 4]) expect(results[at]).toMatchObject({ winner: null });
      await consumers.start("leaderboard");
      const leaderboard = bus.client<Leaderboard>(leaderboardAddress);
      const rated = async (): Promise<number> =>
        (await leaderboard.player({ name: "eve" })).reduce((sum, { played }) => sum + played, 0);
      expect(await rated()).toBe(matches);
    });
  },
);
