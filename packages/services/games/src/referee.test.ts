import { connect } from "@quadrant/bus";
import { expect, it } from "vitest";
import { openPlayer, type Step, spectate, startGames } from "./index.ts";

it("two play a match to its end, and all see the same", async () => {
  await using bus = await connect("memory:");
  await using _games = await startGames(bus);
  await using ann = await openPlayer(bus, { name: "ann" });
  await using bob = await openPlayer(bus, { name: "bob" });
  const x = await ann.create("tictactoe");
  const o = await bob.join(x.match);
  const seen: Step[] = [];
  const watching = (async () => {
    for await (const step of spectate(bus, x.match)) seen.push(step);
  })();
  for (const [seat, at] of [
    [x, 0],
    [o, 3],
    [x, 1],
    [o, 4],
    [x, 2],
  ] as const) {
    expect(await seat.move({ x: at % 3, y: Math.floor(at / 3) })).toMatchObject({ ok: true });
  }
  await watching;
  expect(seen.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(seen.at(-1)?.view).toMatchObject({ state: "ended", result: { winner: 0, by: "board" } });
  const again = Promise.all([x.rematch(), o.rematch()]);
  const [second, first] = await again;
  expect([second.seat, first.seat]).toEqual([1, 0]);
  expect(second.match).toBe(first.match);
  expect(await first.move({ x: 1, y: 1 })).toMatchObject({ ok: true, version: 2 });
});
