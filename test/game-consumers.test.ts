import { type Bus, connect } from "@quadrant/bus";
import {
  archiveName,
  type Leaderboard,
  leaderboardAddress,
  lobbyName,
  readArchived,
  type Seating,
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
  },
);
