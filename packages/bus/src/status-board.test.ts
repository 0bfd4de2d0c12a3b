import type { BusStatus } from "@quadrant/contract";
import { expect, it } from "vitest";
import { StatusBoard } from "./status-board.ts";

function status(kind: BusStatus["kind"], detail?: Readonly<Record<string, unknown>>): BusStatus {
  return { kind, at: new Date(), detail };
}

async function kindsOf(statuses: AsyncIterable<BusStatus>): Promise<string[]> {
  const kinds: string[] = [];
  for await (const { kind } of statuses) kinds.push(kind);
  return kinds;
}

it("a reader gets the state first, then every transition, and ends after closed", async () => {
  const board = new StatusBoard();
  const kinds = kindsOf(board.read());
  for (const kind of ["disconnected", "reconnected", "gap", "slow-consumer", "closed"] as const) {
    board.post(status(kind));
  }
  expect(await kinds).toEqual(["connected", "disconnected", "reconnected", "gap", "slow-consumer", "closed"]);
});

it("readers are independent, and a late one begins with the state of then", async () => {
  const board = new StatusBoard();
  const early = kindsOf(board.read());
  board.post(status("disconnected"));
  const late = kindsOf(board.read());
  board.post(status("reconnected"));
  const later = kindsOf(board.read());
  board.post(status("closed"));
  expect(await early).toEqual(["connected", "disconnected", "reconnected", "closed"]);
  expect(await late).toEqual(["disconnected", "reconnected", "closed"]);
  expect(await later).toEqual(["connected", "closed"]);
  expect(await kindsOf(board.read())).toEqual(["closed"]);
});

it("what repeats the state is no transition, and nothing comes after closed", async () => {
  const board = new StatusBoard();
  const kinds = kindsOf(board.read());
  for (const kind of ["connected", "disconnected", "disconnected", "closed", "closed", "reconnected"] as const) {
    board.post(status(kind));
  }
  expect(await kinds).toEqual(["connected", "disconnected", "closed"]);
});

it("a reader that waits is told, and several waits are served in order", async () => {
  const board = new StatusBoard();
  const reader = board.read()[Symbol.asyncIterator]();
  const results = [reader.next(), reader.next(), reader.next(), reader.next()];
  board.post(status("gap", { lost: 3 }));
  board.post(status("closed"));
  const [first, second, third, fourth] = await Promise.all(results);
  expect(first?.value?.kind).toBe("connected");
  expect(second?.value).toMatchObject({ kind: "gap", detail: { lost: 3 } });
  expect(third?.value?.kind).toBe("closed");
  expect(fourth).toEqual({ value: undefined, done: true });
});

it("each reader gets copies", async () => {
  const board = new StatusBoard();
  const one = board.read()[Symbol.asyncIterator]();
  const two = board.read()[Symbol.asyncIterator]();
  await one.next();
  await two.next();
  board.post(status("gap", { lost: 3 }));
  const mine = (await one.next()).value!;
  mine.at.setTime(0);
  Object.assign(mine.detail!, { lost: 4 });
  const other = (await two.next()).value!;
  expect(other.at.getTime()).toBeGreaterThan(0);
  expect(other.detail).toEqual({ lost: 3 });
});

it("a reader that reads nothing holds a bounded number, the newest", async () => {
  const board = new StatusBoard();
  const reader = board.read()[Symbol.asyncIterator]();
  for (let i = 0; i < 5_000; i++) board.post(status("gap", { i }));
  const first = (await reader.next()).value;
  expect(first?.detail).toEqual({ i: 5_000 - 1_024 });
});

it("leaving the loop ends the reader, also one that waits", async () => {
  const board = new StatusBoard();
  for await (const { kind } of board.read()) {
    expect(kind).toBe("connected");
    break;
  }
  const reader = board.read()[Symbol.asyncIterator]();
  await reader.next();
  const pending = reader.next();
  await reader.return?.();
  expect(await pending).toEqual({ value: undefined, done: true });
  board.post(status("gap"));
  expect(await reader.next()).toEqual({ value: undefined, done: true });
});
