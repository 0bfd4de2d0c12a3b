/** The cases of the protocol, as whoever sends JSON to the bus meets them. */
import { randomBytes } from "node:crypto";
import { type Bus, connect } from "@quadrant/bus";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Entry,
  openPlayer,
  type Player,
  type Reply,
  type Seat,
  type Seated,
  type Step,
  spectate,
} from "./index.ts";
import { startReferee } from "./referee.ts";
import { startTimekeeper } from "./timekeeper.ts";
import { startViews } from "./views.ts";

let bus: Bus;
let ann: Player;
let bob: Player;
const services = new AsyncDisposableStack();
/** What the referee's clock is ahead. */
let aheadMs = 0;

beforeAll(async () => {
  bus = await connect("memory:");
  services.use(bus);
  services.use(await startReferee(bus, { now: () => Date.now() + aheadMs }));
  services.use(await startViews(bus));
  ann = services.use(await openPlayer(bus, { name: "ann" }));
  bob = services.use(await openPlayer(bus, { name: "bob" }));
});
afterAll(() => services.disposeAsync());

type Pair = readonly [Seated, Seated];
async function begun(game = "tictactoe", turnMs?: number): Promise<Pair> {
  const first = await ann.create(game, { turnMs, seed: 1 });
  return [first, await bob.join(first.match)];
}

const cell = (at: number): object => ({ x: at % 3, y: Math.floor(at / 3) });
async function played(cells: readonly number[], pair?: Pair): Promise<Pair> {
  const seats = pair ?? (await begun());
  for (const [turn, at] of cells.entries())
    expect(await seats[(turn % 2) as Seat].move(cell(at))).toMatchObject({ ok: true });
  return seats;
}

/** Any body, on the subject of a match, answered or not. */
async function raw(of: { game: string; match: string }, body: unknown): Promise<Reply> {
  const replyTo = `games.reply.${randomBytes(16).toString("hex")}`;
  const replies = await bus.subscribe<Reply>(replyTo);
  const command = typeof body === "object" && body !== null && !Array.isArray(body) ? { replyTo, ...body } : body;
  await bus.publish(`games.${of.game}.${of.match}.command`, command);
  for await (const { data } of replies) return data;
  throw new Error("no reply");
}
async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
const newId = (): string => randomBytes(8).toString("hex");
const move = ({ token }: Seated, at: number, more: object = {}): object => ({
  v: 1,
  id: newId(),
  kind: "move",
  token,
  move: cell(at),
  ...more,
});

async function entriesOf({ match }: { match: string }): Promise<readonly Entry[]> {
  const log = await bus.log<Entry>("games");
  const entries: Entry[] = [];
  for await (const { data } of log.read({ filter: `games.*.${match}`, to: "end" })) entries.push(data);
  return entries;
}

/** Refused with this code; nothing has changed. */
async function refused(of: Seated, code: string, asking: () => Promise<Reply>, also: object = {}): Promise<void> {
  const before = await entriesOf(of);
  expect(await asking()).toMatchObject({ ok: false, code, ...also });
  expect(await entriesOf(of)).toEqual(before);
}

describe("moves that are refused", () => {
  it("1 beyond the board: OUT_OF_RANGE", async () => {
    const [x] = await begun();
    await refused(x, "OUT_OF_RANGE", () => x.move({ x: 3, y: 0 }));
    await refused(x, "OUT_OF_RANGE", () => x.move({ x: 0, y: -1 }));
  });

  it("2 what is no cell: MALFORMED", async () => {
    const [x] = await begun();
    for (const bad of [1.5, "1", null, Number.NaN, undefined])
      await refused(x, "MALFORMED", () => x.move({ x: bad, y: 0 }));
    for (const bad of [null, "a", 1, [], {}]) await refused(x, "MALFORMED", () => x.move(bad));
  });

  it("3, 4 a cell that is taken, one's own or the other's: OCCUPIED, and by whom", async () => {
    const [x, o] = await played([4, 0]);
    await refused(x, "OCCUPIED", () => x.move(cell(4)), { message: "X holds that cell" });
    await refused(x, "OCCUPIED", () => x.move(cell(0)), { message: "O holds that cell" });
    expect(await x.move(cell(1))).toMatchObject({ ok: true });
    await refused(o, "OCCUPIED", () => o.move(cell(1)), { message: "X holds that cell" });
  });

  it("5, 6 out of turn: NOT_YOUR_TURN", async () => {
    const [x, o] = await begun();
    await refused(o, "NOT_YOUR_TURN", () => o.move(cell(0)));
    await played([0], [x, o]);
    await refused(x, "NOT_YOUR_TURN", () => x.move(cell(1)));
  });

  it("7, 8 another's mark: NOT_YOUR_MARK; none at all: MALFORMED", async () => {
    const [x] = await begun();
    await refused(x, "NOT_YOUR_MARK", () => raw(x, move(x, 0, { seat: 1 })));
    for (const seat of ["Z", 2, -1, null]) await refused(x, "MALFORMED", () => raw(x, move(x, 0, { seat })));
    expect(await raw(x, move(x, 0, { seat: 0 }))).toMatchObject({ ok: true });
  });

  it("9, 10 without a token: NO_SEAT; with one that has no seat: UNAUTHORIZED", async () => {
    const [x] = await begun();
    const [elsewhere] = await begun();
    await refused(x, "NO_SEAT", () => raw(x, move(x, 0, { token: undefined })));
    await refused(x, "UNAUTHORIZED", () => raw(x, move(x, 0, { token: elsewhere.token })));
    await refused(x, "UNAUTHORIZED", () => raw(x, { ...move(x, 0), kind: "resign", token: "a".repeat(32) }));
  });

  it("11 a match that is not there: NO_SUCH_MATCH; a game: NO_SUCH_GAME", async () => {
    const [x] = await begun();
    const code = async (game: string, match: string): Promise<unknown> => raw({ game, match }, move(x, 0));
    expect(await code("tictactoe", "nothing-is-here")).toMatchObject({ ok: false, code: "NO_SUCH_MATCH", version: 0 });
    expect(await code("nim", x.match)).toMatchObject({ ok: false, code: "NO_SUCH_MATCH" });
    expect(await code("chess", x.match)).toMatchObject({ ok: false, code: "NO_SUCH_GAME" });
  });

  it("12 before the other has come: NOT_STARTED; after a cancel nobody can", async () => {
    const x = await ann.create("tictactoe");
    await refused(x, "NOT_STARTED", () => x.move(cell(0)));
    await refused(x, "NOT_STARTED", () => x.resign());
    expect(await x.cancel()).toMatchObject({ ok: true });
    await expect(bob.join(x.match)).rejects.toThrow("MATCH_OVER");
  });

  it("13, 14 after a win or a draw: MATCH_OVER, with the result", async () => {
    const [x, o] = await played([0, 3, 1, 4, 2]);
    await refused(o, "MATCH_OVER", () => o.move(cell(8)), { message: expect.stringContaining("ann (seat 0) won") });
    await refused(x, "MATCH_OVER", () => x.resign());
    const [drawn] = await played([0, 1, 2, 4, 3, 5, 7, 6, 8]);
    await refused(drawn, "MATCH_OVER", () => drawn.move(cell(0)), { view: { result: { winner: null, by: "board" } } });
  });

  it("18 another version: CONFLICT, with the board", async () => {
    const [x] = await played([4, 0]);
    const view = { board: expect.arrayContaining([0, 1]) };
    await refused(x, "CONFLICT", () => x.move(cell(1), { expectedVersion: 3 }), { version: 4, view });
    expect(await x.move(cell(1), { expectedVersion: 4 })).toMatchObject({ ok: true, version: 5 });
  });

  it("30 what is no command: MALFORMED or UNSUPPORTED; the next one is answered", async () => {
    const [x] = await begun();
    await refused(x, "UNSUPPORTED", () => raw(x, move(x, 0, { v: 2 })));
    await refused(x, "MALFORMED", () => raw(x, move(x, 0, { v: undefined })));
    await refused(x, "MALFORMED", () => raw(x, move(x, 0, { kind: "castle" })));
    await refused(x, "MALFORMED", () => raw(x, move(x, 0, { id: "" })));
    await refused(x, "MALFORMED", () => raw(x, move(x, 0, { padding: "a".repeat(4_097) })));
    for (const nothing of [null, 1, "X 1 2", [], [move(x, 0)]]) {
      await bus.publish(`games.tictactoe.${x.match}.command`, nothing);
    }
    expect(await raw(x, move(x, 0, { unknown: 1 }))).toMatchObject({ ok: true });
    expect(await entriesOf(x)).toHaveLength(3);
  });
});

describe("what happens once", () => {
  it("15 the same command again: the first reply, nothing new; 16, 17 another under its id: ID_REUSED", async () => {
    const [x, o] = await begun();
    const command = move(x, 4);
    const first = await raw(x, command);
    await played([], [x, o]);
    expect(await o.move(cell(0))).toMatchObject({ ok: true });
    const before = await entriesOf(x);
    const { id } = command as { id: string };
    expect(await raw(x, command)).toEqual(first);
    expect(await entriesOf(x)).toEqual(before);
    await refused(x, "ID_REUSED", () => raw(x, { ...move(x, 5), id }));
    await refused(x, "UNAUTHORIZED", () => raw(x, { ...command, token: "b".repeat(32) }));
  });

  it("19 both at once on one version: one event, one refusal", async () => {
    const [x, o] = await begun();
    const replies = await Promise.all([x, o].map((seat) => seat.move(cell(4), { expectedVersion: 2 })));
    expect(replies.map(({ ok }) => ok).sort()).toEqual([false, true]);
    expect(await entriesOf(x)).toHaveLength(3);
  });

  it("20 twenty want the open seat: one gets it", async () => {
    const x = await ann.create("tictactoe");
    const joined = await Promise.allSettled(Array.from({ length: 20 }, () => bob.join(x.match)));
    expect(joined.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("26, 27 another referee goes on from the log: stored replies, boards, deadlines", async () => {
    const [x, o] = await begun("tictactoe", 60_000);
    const command = move(x, 4);
    const first = await raw(x, command);
    await using _second = await startReferee(bus);
    await using _third = await startReferee(bus, { remembered: 1 });
    for (let time = 0; time < 6; time++) expect(await raw(x, command)).toEqual(first);
    const reply = await o.move(cell(0));
    expect(reply).toMatchObject({ ok: true, view: { board: [1, null, null, null, 0, null, null, null, null] } });
    const { at } = (await entriesOf(x)).at(-1) as Entry;
    expect(reply.view?.deadline).toBe(at + 60_000);
  });
});

describe("how matches end", () => {
  const lines = [
    [0, 1, 2],
    [3, 4, 5],
    [6, 7, 8],
    [0, 3, 6],
    [1, 4, 7],
    [2, 5, 8],
    [0, 4, 8],
    [2, 4, 6],
  ] as const;
  it.each(lines)("22, 23 the line %i %i %i wins", async (...line) => {
    const free = [0, 1, 2, 3, 4, 5, 6, 7, 8].filter((at) => !line.includes(at as never));
    const [x] = await played([line[0], free[0] ?? 0, line[1], free[1] ?? 0, line[2]]);
    expect((await entriesOf(x)).at(-1)?.events.at(-1)).toEqual({ kind: "ended", outcome: { winner: 0 }, by: "board" });
  });

  it("24, 25 the ninth cell can win; a full board without a line is a draw", async () => {
    const endOf = async (cells: readonly number[]): Promise<unknown> =>
      (await entriesOf((await played(cells))[0])).at(-1)?.events.at(-1);
    expect(await endOf([0, 1, 2, 3, 4, 6, 5, 7, 8])).toMatchObject({ outcome: { winner: 0 } });
    expect(await endOf([0, 1, 2, 4, 3, 5, 7, 6, 8])).toMatchObject({ outcome: { winner: null } });
  });

  it("29 resignation out of turn; a draw offered, declined and accepted", async () => {
    const [x, o] = await begun();
    expect(await o.resign()).toMatchObject({ ok: true, view: { result: { winner: 0, by: "resignation" } } });
    const [a, b] = await begun();
    await refused(b, "NO_OFFER", () => b.acceptDraw());
    expect(await a.offerDraw()).toMatchObject({ ok: true });
    await refused(a, "ALREADY_OFFERED", () => a.offerDraw());
    await refused(a, "NO_OFFER", () => a.acceptDraw());
    expect(await b.declineDraw()).toMatchObject({ ok: true, view: { drawOfferedBy: null } });
    await refused(a, "ALREADY_OFFERED", () => a.offerDraw());
    await played([0], [a, b]);
    expect(await a.offerDraw()).toMatchObject({ ok: true });
    expect(await b.acceptDraw()).toMatchObject({ ok: true, view: { result: { winner: null, by: "agreement" } } });
    await refused(x, "MATCH_OVER", () => x.offerDraw());
    const [goingOn] = await begun();
    await refused(goingOn, "NOT_OVER", () => raw(goingOn, move(goingOn, 0, { kind: "rematch" })));
  });

  it("29 the clock: who claims too early is refused, a move before the claim counts, then the log says lost", async () => {
    const [x, o] = await begun("tictactoe", 3_600_000);
    await refused(o, "TIME_LEFT", () => o.claimTime());
    aheadMs = 3_600_000;
    expect(await x.move(cell(0))).toMatchObject({ ok: true });
    aheadMs = 7_200_000;
    expect(await x.claimTime()).toMatchObject({ ok: true, view: { result: { winner: 0, by: "clock" } } });
    await refused(o, "MATCH_OVER", () => o.move(cell(1)));
    aheadMs = 0;
    const [plain] = await begun();
    await refused(plain, "NO_CLOCK", () => plain.claimTime());
  });

  it("a timekeeper that starts late claims what has passed", async () => {
    const [x, o] = await begun("tictactoe", 1);
    await using _timekeeper = await startTimekeeper(bus);
    const last = (await all(o.follow())).at(-1);
    expect(last?.view.result).toEqual({ winner: 1, by: "clock" });
    expect((await entriesOf(x)).filter(({ events }) => events.some(({ kind }) => kind === "ended"))).toHaveLength(1);
  });

  it("a rematch: both seats swapped, made once, whoever asks how often", async () => {
    const [x, o] = await played([0, 3, 1, 4, 2]);
    const [second, first, also] = await Promise.all([x.rematch(), o.rematch(), o.rematch()]);
    expect([second.seat, first.seat, also.seat]).toEqual([1, 0, 0]);
    expect(new Set([second.match, first.match, also.match]).size).toBe(1);
    await played([4, 0, 1, 3, 7], [first, second]);
    expect(await entriesOf(first)).toHaveLength(6);
  });
});

describe("what is seen", () => {
  it("28 a late spectator sees each step once, in order, to the end", async () => {
    const [x, o] = await played([0, 3, 1]);
    const seen: Step[] = [];
    const watching = (async () => {
      for await (const step of spectate(bus, x.match)) seen.push(step);
    })();
    await expect.poll(() => seen.length).toBeGreaterThan(2);
    await played([4], [o, x]);
    await x.move(cell(2));
    await watching;
    expect(seen.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(seen.at(-1)?.view.result).toEqual({ winner: 0, by: "board" });
    const later = await all(spectate(bus, x.match, { from: 4 }));
    expect(later).toEqual(seen.slice(3));
  });

  it("28 who follows goes on with another server of views: no gap, no duplicate", async () => {
    await using own = await connect("memory:");
    await using _referee = await startReferee(own);
    let views = await startViews(own);
    await using one = await openPlayer(own, { name: "one" });
    await using two = await openPlayer(own, { name: "two" });
    const x = await one.create("tictactoe");
    const o = await two.join(x.match);
    const seen: number[] = [];
    const watching = (async () => {
      for await (const { version } of o.follow()) seen.push(version);
    })();
    for (const [turn, at] of [0, 3, 1, 4, 2].entries()) {
      const { version } = await (turn % 2 === 0 ? x : o).move(cell(at));
      await expect.poll(() => seen.at(-1)).toBe(version);
      await views[Symbol.asyncDispose]();
      views = await startViews(own);
    }
    await watching;
    await views[Symbol.asyncDispose]();
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it("31 nobody sees another's fleet, in a step, a reply, a refusal or the state; no token is in the log", async () => {
    const [x, o] = await begun("battleship");
    const fleet = [5, 4, 3, 3, 2].map((_, y) => ({ x: 1, y: 2 * y, down: false }));
    const replies = [
      await x.move({ fleet }),
      await o.move({ fleet }),
      await x.move({ x: 9, y: 9 }),
      await x.move({ x: 0, y: 0 }),
    ];
    for (const reply of replies.filter(({ view }) => view !== undefined)) {
      const [mine, theirs] = (reply.view?.board ?? []) as { fleet: unknown }[];
      expect([mine?.fleet, theirs?.fleet].filter((seen) => seen !== null).length).toBeLessThanOrEqual(1);
    }
    await o.resign();
    const watched = JSON.stringify(await all(spectate(bus, x.match)));
    expect(watched).not.toContain('"down":false');
    const seenBy = async (seat: Seated): Promise<number> =>
      (await all(seat.follow())).filter((step) => JSON.stringify(step.events).includes('"down":false')).length;
    expect(await Promise.all([seenBy(x), seenBy(o)])).toEqual([1, 1]);
    const log = JSON.stringify(await entriesOf(x));
    expect(log.includes(x.token) || log.includes(o.token)).toBe(false);
    expect(watched).not.toContain('"hash"');
  });

  it("32 a seat is resumed by its token, and by nothing else", async () => {
    const [x] = await played([4]);
    await using again = await openPlayer(bus, { name: "again" });
    expect(await again.resume(x)).toMatchObject({ seat: 0, game: "tictactoe", match: x.match });
    await expect(again.resume({ match: x.match, token: "c".repeat(32) })).rejects.toMatchObject({ code: "denied" });
    await expect(again.resume({ match: "not-a-match-here", token: x.token })).rejects.toMatchObject({
      code: "invalid",
    });
    await expect(all(spectate(bus, "not-a-match-here"))).rejects.toMatchObject({ code: "invalid" });
  });
});
