import { type Bus, BusError, connect, type TupleSpace } from "@quadrant/bus";
import { expect, it } from "vitest";
import { lobbyName, type Seating, type Seeker, takeSeat } from "./lobby.ts";
import { startMatchmaker } from "./matchmaker.ts";

const eager = { pauseMs: 5 };
const seeker = (name: string, rating = 1_200): Seeker => ({ name, rating, tokenHash: `hash of ${name}`, options: {} });

async function seats(bus: Bus, names: readonly string[], game = "tictactoe"): Promise<readonly Seating[]> {
  const lobby = await bus.space(lobbyName);
  return Promise.all(names.map((name) => takeSeat(lobby, { game, ticket: `ticket of ${name}`, seeker: seeker(name) })));
}

async function settled(lobby: TupleSpace): Promise<void> {
  await expect.poll(() => lobby.count(["seeking", String, String, Object])).toBe(0);
}

it("seats two who fit: the same match, one seat each, nobody's token in the lobby", async () => {
  await using bus = await connect("memory:");
  await using _matchmaker = await startMatchmaker(bus, eager);
  const [ann, bob] = await seats(bus, ["ann", "bob"]);
  expect(ann?.match).toBe(bob?.match);
  expect([ann?.seat, bob?.seat].sort()).toEqual([0, 1]);
  expect(ann?.seekers).toEqual(bob?.seekers);
  expect(ann?.seekers[ann.seat]?.name).toBe("ann");
  expect(bob?.seekers[bob.seat]?.name).toBe("bob");
  await settled(await bus.space(lobbyName));
});

it("several at once seat everybody once, however they race", async () => {
  await using bus = await connect("memory:");
  const names = Array.from({ length: 60 }, (_, at) => `p${at}`);
  const seating = seats(bus, names);
  const matchmakers = await Promise.all(Array.from({ length: 4 }, () => startMatchmaker(bus, eager)));
  const found = await seating;
  for (const each of matchmakers) await each[Symbol.asyncDispose]();
  const byMatch = Map.groupBy(found, ({ match }) => match);
  expect(byMatch.size).toBe(30);
  for (const pair of byMatch.values()) {
    expect(pair.map(({ seat }) => seat).sort()).toEqual([0, 1]);
    expect(pair[0]?.seekers).toEqual(pair[1]?.seekers);
  }
  const lobby = await bus.space(lobbyName);
  expect((await lobby.rdAll(["seated", String, String, Object])).length).toBe(60);
  await settled(lobby);
});

it("players of other games or options wait on, and who withdraws is never seated", async () => {
  await using bus = await connect("memory:");
  const lobby = await bus.space(lobbyName);
  const leave = new AbortController();
  const withdrawn = takeSeat(lobby, { game: "nim", ticket: "left", seeker: seeker("left"), signal: leave.signal });
  const failed = expect(withdrawn).rejects.toSatisfy((error) => error instanceof BusError && error.code === "aborted");
  await lobby.rd(["seeking", "nim", "left", Object]);
  leave.abort();
  await failed;
  await using _matchmaker = await startMatchmaker(bus, eager);
  const waiting = new AbortController();
  const quick = { ...seeker("quick"), options: { turnMs: 1_000 } };
  const alone = takeSeat(lobby, { game: "nim", ticket: "quick", seeker: quick, signal: waiting.signal });
  const [a, b] = await seats(bus, ["a", "b"], "nim");
  expect(a?.match).toBe(b?.match);
  expect(await lobby.count(["seeking", "nim", "quick", Object])).toBe(1);
  waiting.abort();
  await expect(alone).rejects.toThrow(BusError);
});

it("a signal that comes once the seat is given resolves with the seat: it is never lost", async () => {
  await using bus = await connect("memory:");
  const lobby = await bus.space(lobbyName);
  const leave = new AbortController();
  const held = takeSeat(lobby, { game: "nim", ticket: "late", seeker: seeker("late"), signal: leave.signal });
  const claim = await lobby.claim(["seeking", "nim", "late", Object]);
  leave.abort();
  const seekers = [seeker("late"), seeker("other")].map((each) => ({ ...each }));
  await lobby.out(["seated", "nim", "late", { match: "m", seat: 0, seekers }]);
  await claim.ack();
  expect(await held).toMatchObject({ match: "m", seat: 0 });
});

it("a matchmaker that dies with claims, before its answer or after, loses nobody and seats nobody twice", async () => {
  await using bus = await connect("memory:");
  const lobby = await bus.space(lobbyName);
  const seating = seats(bus, ["ann", "bob", "cid", "dan"]);
  const held: { readonly signal: AbortSignal }[] = [];
  for (const name of ["ann", "bob", "cid", "dan"]) {
    held.push(await lobby.claim(["seeking", "tictactoe", `ticket of ${name}`, Object], { leaseMs: 300 }));
  }
  // It has answered ann and bob, and dies before it takes them out of the lobby.
  const seekers = [seeker("ann"), seeker("bob")].map((each) => ({ ...each }));
  await lobby.outMany([
    ["seated", "tictactoe", "ticket of ann", { match: "first", seat: 0, seekers }],
    ["seated", "tictactoe", "ticket of bob", { match: "first", seat: 1, seekers }],
  ]);
  await using _matchmaker = await startMatchmaker(bus, eager);
  const [ann, bob, cid, dan] = await seating;
  expect([ann?.match, bob?.match]).toEqual(["first", "first"]);
  expect(cid?.match).toBe(dan?.match);
  expect(cid?.match).not.toBe("first");
  await settled(lobby);
  expect((await lobby.rdAll(["seated", String, String, Object])).length).toBe(4);
  await expect.poll(() => held.every(({ signal }) => signal.aborted)).toBe(true);
});

it("what is no seeker is passed over", async () => {
  await using bus = await connect("memory:");
  const lobby = await bus.space(lobbyName);
  await lobby.out(["seeking", "tictactoe", "x", { name: 3 }], { leaseMs: 60_000 });
  await using _matchmaker = await startMatchmaker(bus, eager);
  const [ann, bob] = await seats(bus, ["ann", "bob"]);
  expect(ann?.match).toBe(bob?.match);
});
