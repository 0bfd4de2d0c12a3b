import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Bus, connect } from "@quadrant/bus";
import { matchState, openPlayer, type Seated, spectate, startGames, startReferee } from "@quadrant/games";
import { type BrokerKind, startBroker } from "@quadrant/testkit/brokers";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { playUnderKills } from "./campaigns/games.ts";
import { judgeLog, type Verdict } from "./games/legality.ts";
import { Referees } from "./games/referees.ts";

/** The games on every driver: clients that race, duplicate and disorder their commands, and referees that are killed. */
const within = { timeout: 20_000 };

interface Order {
  readonly client: number;
  readonly kind: "move" | "resign" | "offer-draw" | "accept-draw" | "decline-draw";
  readonly at: number;
  readonly copies: number;
}

const order: fc.Arbitrary<Order> = fc.record({
  client: fc.nat(7),
  kind: fc.oneof(
    { weight: 60, arbitrary: fc.constant("move" as const) },
    fc.constantFrom("resign" as const, "offer-draw" as const, "accept-draw" as const, "decline-draw" as const),
  ),
  at: fc.integer({ min: -1, max: 9 }),
  copies: fc.integer({ min: 1, max: 3 }),
});

/** Sends copies of one command at once, and again until one is answered. Two clients or more hold each seat. */
async function send(bus: Bus, seat: Seated, { kind, at, copies }: Order): Promise<unknown> {
  const replyTo = `games.reply.${randomBytes(16).toString("hex")}`;
  const replies = await bus.subscribe(replyTo);
  const move = { x: at % 3, y: Math.floor(at / 3) };
  const command = { v: 1, id: randomBytes(8).toString("hex"), kind, token: seat.token, replyTo, move };
  const publish = (): void => void bus.publish(`games.tictactoe.${seat.match}.command`, command).catch(() => undefined);
  for (let copy = 0; copy < copies; copy++) publish();
  const again = setInterval(publish, 500);
  try {
    for await (const { data } of replies) return data;
    return undefined;
  } finally {
    clearInterval(again);
  }
}

async function raced(first: Bus, second: Bus, orders: readonly Order[]): Promise<void> {
  await using ann = await openPlayer(first, { name: "ann" });
  await using bob = await openPlayer(second, { name: "bob" });
  const x = await ann.create("tictactoe");
  const o = await bob.join(x.match);
  await Promise.all(orders.map((each) => send(each.client < 4 ? first : second, each.client % 2 === 0 ? x : o, each)));
  // A late copy of a move that named no version may still be taken after its first copy was refused.
  await expect
    .poll(async () => {
      const { version, board, ended } = (await judgeLog(first)).get(x.match) as Verdict;
      const inLog = { version, board, state: ended ? "ended" : "running" };
      const seen = await Promise.all([first, second].map((bus) => matchState(bus, { match: x.match })));
      return seen.every((state) => {
        const shown = { version: state?.version, board: state?.view.board, state: state?.view.state };
        return isDeepStrictEqual(shown, inLog);
      });
    }, within)
    .toBe(true);
}

const kinds = ["memory", "file", "zeromq", "nats", "redis"] as const;

describe.each(kinds)("games over %s", (kind) => {
  const held = new AsyncDisposableStack();
  let open: () => Promise<Bus>;
  let url = "";
  beforeAll(async () => {
    if (kind === "memory" || kind === "file") {
      const folder = await mkdtemp(join(tmpdir(), "quadrant-games-"));
      held.defer(() => rm(folder, { recursive: true }));
      url = kind === "memory" ? `memory:games-${randomBytes(4).toString("hex")}` : `file:${folder}`;
      open = () => connect(url);
    } else {
      const broker = held.use(await startBroker(kind satisfies BrokerKind));
      url = broker.url;
      open = () => connect(broker.url, broker.options);
    }
  });
  afterAll(() => held.disposeAsync());

  it("whatever 2 to 8 clients send, with two referees at once: the log is legal, and all see the same board", {
    timeout: 120_000,
  }, async () => {
    await using first = await open();
    await using second = await open();
    await using _one = await startGames(first, { roles: ["referee", "views"] });
    await using _two = await startGames(second, { roles: ["referee", "views"] });
    const streams = fc.array(order, { minLength: 5, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(streams, (orders) => raced(first, second, orders)),
      { numRuns: 6 },
    );
  });

  const processes = kind === "memory" || kind === "file" ? undefined : kind;
  it("60 matches at once while referees die: all end, none is lost or played twice", { timeout: 180_000 }, async () => {
    await using bus = await open();
    await using _views = await startGames(bus, { roles: ["views"] });
    const before = (await judgeLog(bus)).size;
    const endedBefore = [...(await judgeLog(bus)).values()].filter(({ ended }) => ended).length;
    const play = (kill: () => Promise<void>) => playUnderKills(bus, { matches: 60, kills: 3, kill, seed: 1 });
    let report: Awaited<ReturnType<typeof play>>;
    if (processes === undefined) {
      // An embedded bus has one process, whose referee is replaced instead.
      let referee = await startReferee(bus);
      report = await play(async () => {
        await referee[Symbol.asyncDispose]();
        referee = await startReferee(bus);
      });
      await referee[Symbol.asyncDispose]();
    } else {
      await using referees = new Referees(url);
      await Promise.all([referees.start(), referees.start()]);
      report = await play(() => referees.kill());
      expect(referees.deaths).toBe(3);
    }
    expect(report.ended - endedBefore).toBe(60);
    expect((await judgeLog(bus)).size - before).toBe(60);
  });

  if (processes === undefined) return;
  it("a referee that dies before or after any append: the command happens once, and is answered", {
    timeout: 300_000,
  }, async () => {
    await using bus = await open();
    await using _views = await startGames(bus, { roles: ["views"] });
    for (const moment of ["before", "after"] as const) {
      for (const append of [1, 2, 3, 7]) {
        await using referees = new Referees(url);
        await referees.start({ moment, append });
        await using ann = await openPlayer(bus, { name: "ann" });
        await using bob = await openPlayer(bus, { name: "bob" });
        const x = await ann.create("tictactoe");
        const o = await bob.join(x.match);
        for (const [turn, at] of [0, 3, 1, 4, 2].entries()) {
          const reply = await (turn % 2 === 0 ? x : o).move(
            { x: at % 3, y: Math.floor(at / 3) },
            { timeoutMs: 60_000 },
          );
          expect(reply).toMatchObject({ ok: true, version: turn + 3 });
        }
        expect(referees.deaths).toBe(1);
        const versions: number[] = [];
        for await (const { version } of spectate(bus, x.match)) versions.push(version);
        expect(versions).toEqual([1, 2, 3, 4, 5, 6, 7]);
        expect((await judgeLog(bus)).get(x.match)).toMatchObject({ moves: 5, ended: true, version: 7 });
      }
    }
  });
});
