import { connect } from "@quadrant/bus";
import { expect, it } from "vitest";
import { logName } from "../match/entry.ts";
import { archiveName, readArchived, startArchive } from "./archive.ts";

const created = {
  kind: "created",
  seed: 7,
  seats: [
    { name: "ann", hash: "secret" },
    { name: "bob", hash: "secret" },
  ],
};
const moved = { kind: "moved", seat: 0, move: { column: 3 } };
const ended = { kind: "ended", outcome: { winner: 1 }, by: "resignation" };

it("keeps every match that ends, also those that ended while it was away, and none that goes on", async () => {
  await using bus = await connect("memory:");
  const log = await bus.log<unknown>(logName);
  const versions = new Map<string, number>();
  const append = (match: string, ...events: unknown[]): Promise<unknown> => {
    const version = (versions.get(match) ?? 0) + 1;
    versions.set(match, version);
    return log.append(`games.connect4.${match}`, { v: 1, id: `c${version}`, version, at: 5, events });
  };
  const store = await bus.blobs(archiveName);
  const names = async (): Promise<readonly string[]> => (await store.list()).map(({ name }) => name).sort();
  await append("before", created);
  await append("across", created);
  await append("open", created);
  await append("before", moved, ended);
  const first = await startArchive(bus);
  await expect.poll(names).toEqual(["connect4/before.ndjson"]);
  await append("across", moved);
  await first[Symbol.asyncDispose]();
  await append("across", ended);
  await append("across", { kind: "rematch-offered", seat: 0 });
  versions.set("headless", 3);
  await append("headless", ended);
  await using _second = await startArchive(bus);
  await append("after", created, moved, ended);
  await expect.poll(names).toEqual(["connect4/across.ndjson", "connect4/after.ndjson", "connect4/before.ndjson"]);
  const read = await readArchived(bus, "connect4", "across");
  expect(read?.map(({ version, events }) => [version, events[0]?.kind])).toEqual([
    [1, "created"],
    [2, "moved"],
    [3, "ended"],
  ]);
  expect(JSON.stringify(read)).not.toContain("secret");
  expect(read?.[0]?.events[0]).toMatchObject({ seed: 7, seats: [{ name: "ann" }, { name: "bob" }] });
  expect(await readArchived(bus, "connect4", "open")).toBeUndefined();
});

it("several write the same bytes, and one that comes after a death in the middle writes what is missing", async () => {
  await using bus = await connect("memory:");
  const log = await bus.log<unknown>(logName);
  for (let at = 0; at < 20; at++)
    await log.append(`games.nim.m${at}`, { v: 1, id: "c", version: 1, at, events: [created, moved, ended] });
  const store = await bus.blobs(archiveName);
  await using _one = await startArchive(bus);
  await using _other = await startArchive(bus);
  await expect.poll(async () => (await store.list()).length).toBe(20);
  const before = await readArchived(bus, "nim", "m3");
  await store.delete("nim/m3.ndjson");
  await using _third = await startArchive(bus);
  await expect.poll(() => readArchived(bus, "nim", "m3")).toEqual(before);
});
