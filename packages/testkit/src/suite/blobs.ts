import type { BlobStore } from "@quadrant/contract";
import { expect } from "vitest";
import { bytesOf, contentOf, expectContent, inPieces, mebibyte, put, sumOf } from "./blob-content.ts";
import { type Clause, clause } from "./clause.ts";
import { gate, guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

/** One store, as two connections see it. */
async function openStore(scene: Scene): Promise<{ readonly mine: BlobStore; readonly theirs: BlobStore }> {
  const name = scene.name();
  return { mine: await scene.bus.blobs(name), theirs: await scene.other.blobs(name) };
}

async function sizes(scene: Scene): Promise<void> {
  const { mine, theirs } = await openStore(scene);
  for (const size of [0, 1, 131_071, 131_072, 131_073, 1_500_000]) {
    const content = contentOf(size, size);
    await put(mine, `of ${size}`, content);
    await expectContent(theirs, `of ${size}`, content);
  }
  await mine.destroy();
}

async function large(scene: Scene): Promise<void> {
  const { mine, theirs } = await openStore(scene);
  const content = contentOf(1, 32 * mebibyte);
  const outcome = await guard(mine.put("large", inPieces(content)), "a put of 32 MiB");
  expect(outcome).toEqual({ bytes: content.length, sha256: sumOf(content) });
  expect(await theirs.list()).toEqual([{ name: "large", bytes: content.length }]);
  let at = 0;
  for await (const chunk of (await theirs.get("large"))!) {
    expect(Buffer.compare(chunk, content.subarray(at, at + chunk.length))).toBe(0);
    at += chunk.length;
  }
  expect(at).toBe(content.length);
  await mine.destroy();
}

async function absent(scene: Scene): Promise<void> {
  const { mine, theirs } = await openStore(scene);
  expect(await mine.get("none")).toBeUndefined();
  expect(await mine.delete("none")).toBe(false);
  expect(await mine.list()).toEqual([]);
  await put(mine, "one", contentOf(1, 10));
  expect(await theirs.get("on")).toBeUndefined();
  expect(await theirs.get("one/")).toBeUndefined();
  await mine.destroy();
}

async function replaces(scene: Scene): Promise<void> {
  const { mine, theirs } = await openStore(scene);
  for (const size of [500_000, 10, 0, 700_000]) {
    const content = contentOf(size, size);
    await put(mine, "same", content);
    await expectContent(theirs, "same", content);
    expect(await theirs.list()).toEqual([{ name: "same", bytes: size }]);
  }
  await mine.destroy();
}

async function atomic(scene: Scene): Promise<void> {
  const { mine, theirs } = await openStore(scene);
  const [old, fresh] = [contentOf(1, 400_000), contentOf(2, 3 * mebibyte)];
  await put(mine, "replaced", old);
  const [halfway, finish] = [gate(), gate()];
  async function* slowly(): AsyncGenerator<Uint8Array> {
    yield fresh.subarray(0, 2 * mebibyte);
    halfway.open();
    await finish.opened;
    yield fresh.subarray(2 * mebibyte);
  }
  const putting = Promise.all([mine.put("replaced", slowly()), mine.put("made", slowly())]);
  // Where the clause fails before, nobody waits for them.
  putting.catch(() => undefined);
  await guard(halfway.opened, "half of the blob to be taken");
  await expectContent(theirs, "replaced", old);
  expect(await theirs.get("made")).toBeUndefined();
  expect(await theirs.list()).toEqual([{ name: "replaced", bytes: old.length }]);
  finish.open();
  await guard(putting, "the puts");
  await expectContent(theirs, "replaced", fresh);
  await expectContent(theirs, "made", fresh);
  await mine.destroy();
}

async function failingSources(scene: Scene): Promise<void> {
  const { mine, theirs } = await openStore(scene);
  const old = contentOf(1, 300_000);
  await put(mine, "kept", old);
  let left = 0;
  async function* failing(last: () => Uint8Array): AsyncGenerator<Uint8Array> {
    try {
      for (const seed of range(20)) yield contentOf(seed, 100_000);
      yield last();
    } finally {
      left++;
    }
  }
  const broken = new TypeError("the disk is gone");
  const throwing = (): Uint8Array => {
    throw broken;
  };
  for (const name of ["kept", "new"]) {
    expect((await rejection(mine.put(name, failing(throwing)), "invalid")).cause).toBe(broken);
    await rejection(
      mine.put(
        name,
        failing(() => "text" as never),
      ),
      "invalid",
    );
  }
  expect(left).toBe(4);
  for (const source of [undefined, null, "text", 5, {}, [contentOf(1, 1)]]) {
    await rejection(mine.put("kept", source as never), "invalid");
  }
  await expectContent(theirs, "kept", old);
  expect(await theirs.get("new")).toBeUndefined();
  expect(await theirs.list()).toEqual([{ name: "kept", bytes: old.length }]);
  await mine.destroy();
}

async function usedAgain(scene: Scene): Promise<void> {
  const { mine, theirs } = await openStore(scene);
  const buffer = new Uint8Array(50_000);
  async function* reusing(): AsyncGenerator<Uint8Array> {
    for (const value of range(40)) yield buffer.fill(value);
    buffer.fill(255);
  }
  await guard(mine.put("reused", reusing()), "the put");
  const expected = Buffer.concat(range(40).map((value) => new Uint8Array(50_000).fill(value)));
  await expectContent(theirs, "reused", expected);
  // What was read is the reader's.
  for await (const chunk of (await theirs.get("reused"))!) chunk.fill(7);
  await expectContent(mine, "reused", expected);
  await mine.destroy();
}

async function concurrent(scene: Scene): Promise<void> {
  const { mine, theirs } = await openStore(scene);
  for (const round of range(scene.rounds(10))) {
    const [one, other] = [contentOf(round, 300_000), contentOf(round + 100, 200_000)];
    await Promise.all([put(mine, "wanted", one), put(theirs, "wanted", other)]);
    const bytes = (await bytesOf(mine, "wanted"))!;
    expect([sumOf(one), sumOf(other)]).toContain(sumOf(bytes));
    await expectContent(theirs, "wanted", bytes);
    expect(await theirs.list()).toEqual([{ name: "wanted", bytes: bytes.length }]);
  }
  await mine.destroy();
}

async function deletes(scene: Scene): Promise<void> {
  const { mine, theirs } = await openStore(scene);
  const content = contentOf(1, 300_000);
  await Promise.all([put(mine, "a", content), put(mine, "a/b", content)]);
  expect(await theirs.delete("a")).toBe(true);
  expect(await mine.delete("a")).toBe(false);
  expect(await mine.get("a")).toBeUndefined();
  await expectContent(mine, "a/b", content);
  await put(mine, "a", content.subarray(0, 10));
  await expectContent(theirs, "a", content.subarray(0, 10));
  const both = await Promise.all([mine.delete("a"), theirs.delete("a")]);
  expect(both.toSorted()).toEqual([false, true]);
  await mine.destroy();
}

async function lists(scene: Scene): Promise<void> {
  const { mine, theirs } = await openStore(scene);
  const names = range(30).flatMap((n) => [`logs/${n}`, `logs-${n}`, `Logs/ü${n}`]);
  const sizeOf = (name: string): number => name.length * 10;
  for (let at = 0; at < names.length; at += 15) {
    await Promise.all(names.slice(at, at + 15).map((name) => put(mine, name, contentOf(1, sizeOf(name)))));
  }
  for (const prefix of ["", "logs", "logs/", "logs/2", "Logs/ü1", "none"]) {
    const expected = names.filter((name) => name.startsWith(prefix)).sort();
    expect(await theirs.list(prefix)).toEqual(expected.map((name) => ({ name, bytes: sizeOf(name) })));
  }
  await mine.destroy();
}

/** What other stores take for paths, patterns, escapes or terminators. */
const unusual = [
  "a",
  "A",
  "a/",
  "/a",
  "a//b",
  ".",
  "..",
  "../a",
  "a*",
  ">",
  "%41",
  "a b",
  " a",
  "ü",
  "u\u0308",
  "🎉",
  "a:b",
].concat(["a{b}", "__proto__", "constructor", "x".repeat(255), "ß".repeat(127), "\ufffd", "\uffff"]);
const noNames: readonly unknown[] = [
  "",
  "a\nb",
  "a\0",
  "\x7f",
  "\ud800",
  "x".repeat(256),
  "ß".repeat(128),
  5,
  null,
  undefined,
  {},
];

async function names(scene: Scene): Promise<void> {
  const { mine, theirs } = await openStore(scene);
  await Promise.all(unusual.map((name, seed) => put(mine, name, contentOf(seed, 100))));
  for (const [seed, name] of unusual.entries()) await expectContent(theirs, name, contentOf(seed, 100));
  expect((await theirs.list()).map(({ name }) => name)).toEqual(unusual.toSorted());
  for (const name of noNames as readonly string[]) {
    await rejection(mine.put(name, contentOf(1, 1)), "invalid");
    await rejection(mine.get(name), "invalid");
    await rejection(mine.delete(name), "invalid");
    if (name !== "" && name !== undefined) await rejection(mine.list(name), "invalid");
  }
  for (const name of unusual) expect(await theirs.delete(name), name).toBe(true);
  expect(await mine.list()).toEqual([]);
  await mine.destroy();
}

async function stores(scene: Scene): Promise<void> {
  const [one, other] = [`${scene.name()}-ü/x`, scene.name()];
  const [first, second] = [await scene.bus.blobs(one), await scene.bus.blobs(other)];
  await put(first, "same", contentOf(1, 10));
  await put(second, "same", contentOf(2, 300_000));
  await expectContent(first, "same", contentOf(1, 10));
  expect(await scene.other.list("blobs")).toEqual(expect.arrayContaining([one, other]));
  const seen = await scene.other.blobs(other);
  await second.destroy();
  await second.destroy();
  expect(await scene.other.list("blobs")).not.toContain(other);
  await rejection(seen.put("same", contentOf(1, 1)), "conflict");
  await rejection(seen.get("same"), "conflict");
  await rejection(seen.delete("same"), "conflict");
  await rejection(seen.list(), "conflict");
  const again = await scene.bus.blobs(other);
  expect(await again.list()).toEqual([]);
  await put(seen, "same", contentOf(3, 10));
  await expectContent(again, "same", contentOf(3, 10));
  await expectContent(first, "same", contentOf(1, 10));
  await Promise.all([first.destroy(), again.destroy()]);
}

export const blobClauses: readonly Clause[] = [
  clause("blobs/sizes", "blobs of no byte to many chunks arrive unaltered, with their size and sum", sizes),
  clause("blobs/large", "32 MiB in pieces of any size arrive unaltered", large),
  clause("blobs/absent", "a blob that is not there is undefined", absent),
  clause("blobs/replace", "a put replaces the whole blob", replaces),
  clause("blobs/atomic", "until a put is complete what was there before is read and listed", atomic),
  clause("blobs/source", "a source that throws, or gives no bytes, changes nothing and is left", failingSources),
  clause("blobs/copies", "bytes are copies: the source's, the store's, the reader's", usedAgain),
  clause("blobs/two-puts", "of two puts at once one wins wholly", concurrent),
  clause("blobs/delete", "delete tells whether there was one, and touches no other", deletes),
  clause("blobs/list", "list has the names that begin so, sorted, with their sizes", lists),
  clause("blobs/names", "a name is up to 255 bytes without control characters, and literal", names),
  clause("blobs/stores", "stores do not mix; one that was destroyed is conflict until it is opened again", stores),
];
