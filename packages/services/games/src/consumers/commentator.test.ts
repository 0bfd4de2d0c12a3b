import { connect } from "@quadrant/bus";
import { expect, it } from "vitest";
import { logName } from "../match/entry.ts";
import { drawFleet } from "../rules/battleship.ts";
import { type Comment, startCommentator } from "./commentator.ts";

const created = { kind: "created", seed: 7, seats: [{ name: "Ann" }, { name: "Bob" }] };

it("tells what happens from its start on, knowing what went before, and nothing that is hidden", async () => {
  await using bus = await connect("memory:");
  const log = await bus.log<unknown>(logName);
  const append = (subject: string, ...events: unknown[]): Promise<unknown> =>
    log.append(subject, { v: 1, id: "c", version: 1, at: 5, events });
  await append("games.battleship.m", created);
  await append("games.battleship.m", { kind: "moved", seat: 0, move: { fleet: drawFleet(1) } });
  const comments = await bus.subscribe<Comment>("games.*.*.comment");
  await using _commentator = await startCommentator(bus);
  // It has read the beginning once it has told of a match that began after it.
  const told = comments[Symbol.asyncIterator]();
  const next = async (): Promise<string> => (await told.next()).value.data.text;
  const probe = setInterval(() => void append("games.nim.probe", created), 20);
  expect(await next()).toBe("Ann plays Bob.");
  clearInterval(probe);
  await append("games.battleship.m", { kind: "moved", seat: 1, move: { fleet: drawFleet(2) } });
  let text = await next();
  while (text === "Ann plays Bob.") text = await next();
  expect(text).toBe("Bob has placed a fleet.");
  await append("games.battleship.m", { kind: "draw-offered", seat: 0 });
  expect(await next()).toBe("Ann offers a draw.");
  await append("games.battleship.m", { kind: "ended", outcome: { winner: 1 }, by: "clock" });
  expect(await next()).toBe("Bob wins, the other's time is up.");
  await append("games.tictactoe.t", { ...created, seats: [{ name: "Ann" }, null] });
  expect(await next()).toBe("Ann waits for an opponent.");
  await append("games.tictactoe.t", { kind: "joined", seat: 1, name: "Bob" });
  expect(await next()).toBe("Bob sits down.");
  await append(
    "games.tictactoe.t",
    { kind: "moved", seat: 0, move: { x: 1, y: 1 } },
    { kind: "ended", outcome: { winner: null }, by: "agreement" },
  );
  expect(await next()).toBe("Ann marks column 2, row 2. It is a draw, by agreement.");
  await comments[Symbol.asyncDispose]();
});
