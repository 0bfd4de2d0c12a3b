import { expect, it } from "vitest";
import type { Entry } from "./entry.ts";
import { MatchRecord, RecordShelf } from "./record.ts";

function begun(game: string): MatchRecord {
  const record = new MatchRecord(game, "a-match-of-its-own");
  const seats = [{ name: "ann", hash: "a".repeat(64) }, null] as const;
  const created = { kind: "created", seed: 1, turnMs: undefined, seats } as const;
  const entry: Entry = {
    v: 1,
    id: "1",
    asked: "",
    command: "create",
    version: 1,
    seat: null,
    at: 0,
    events: [created],
  };
  expect(record.take(1, entry)).toBe(true);
  return record;
}

it("a shelf keeps what was used last, so many records, and so many cells of boards", () => {
  const few = new RecordShelf(2);
  for (const key of ["a", "b"]) few.set(key, begun("tictactoe"));
  few.get("a");
  few.set("c", begun("tictactoe"));
  expect(["a", "b", "c"].map((key) => few.get(key) !== undefined)).toEqual([true, false, true]);

  const small = new RecordShelf(100, 30);
  for (const key of ["a", "b", "c"]) small.set(key, begun("tictactoe"));
  expect([...small.values()]).toHaveLength(3);
  // Larger than all that there may be: it alone.
  const large = begun("tictactoe-20-5");
  expect(large.cells).toBe(400);
  small.set("d", large);
  expect([...small.values()]).toEqual([large]);
  small.delete("d");
  small.set("e", begun("nim"));
  small.set("f", begun("tictactoe"));
  expect([...small.values()]).toHaveLength(2);
});
