import { expect } from "vitest";
import { begun, bytesOf, contentOf, drained, expectContent, mebibyte, put } from "./blob-content.ts";
import { type Clause, clause } from "./clause.ts";
import { gate, guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection, thrown } from "./rejection.ts";
import type { Scene } from "./scene.ts";

async function replacedMeanwhile(scene: Scene): Promise<void> {
  const name = scene.name();
  const [mine, theirs] = [await scene.bus.blobs(name), await scene.other.blobs(name)];
  // Larger than all that may be on its way already.
  const content = contentOf(1, 3 * mebibyte);
  await put(mine, "replaced", content);
  await put(mine, "deleted", content);
  const [one, other] = [await begun(theirs, "replaced"), await begun(theirs, "deleted")];
  const untouched = await theirs.get("replaced");
  await put(mine, "replaced", contentOf(2, 3 * mebibyte));
  await mine.delete("deleted");
  await rejection(drained(one), "gap");
  await rejection(drained(other), "gap");
  await rejection(drained(untouched![Symbol.asyncIterator]()), "gap");
  expect(await one.next()).toEqual({ value: undefined, done: true });
  await mine.destroy();
}

async function leaves(scene: Scene): Promise<void> {
  const store = await scene.bus.blobs(scene.name());
  const content = contentOf(1, 3 * mebibyte);
  await put(store, "left", content);
  for (const _ of range(scene.rounds(100))) {
    for await (const chunk of (await store.get("left"))!) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    // Got and never iterated.
    await store.get("left");
  }
  const iterable = (await store.get("left"))!;
  await guard(drained(iterable[Symbol.asyncIterator]()), "the blob after all");
  thrown(() => iterable[Symbol.asyncIterator](), "invalid");
  await expectContent(store, "left", content);
  expect(await store.delete("left")).toBe(true);
  await store.destroy();
}

async function slowReader(scene: Scene): Promise<void> {
  const store = await scene.bus.blobs(scene.name());
  await put(store, "slow", contentOf(1, 20 * mebibyte));
  const before = process.memoryUsage().arrayBuffers;
  const iterator = await begun(store, "slow");
  // Everything that would have come by itself comes before these answers.
  for (const _ of range(20)) await store.list();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * mebibyte);
  await iterator.return?.();
  await store.destroy();
}

async function aborts(scene: Scene): Promise<void> {
  const store = await scene.bus.blobs(scene.name());
  await put(store, "blob", contentOf(1, 3 * mebibyte));
  await rejection(store.get("blob", { signal: AbortSignal.abort() }), "aborted");
  const controller = new AbortController();
  const iterator = await begun(store, "blob", controller.signal);
  const late = await store.get("blob", { signal: controller.signal });
  controller.abort();
  await rejection(iterator.next(), "aborted");
  await rejection(drained(late![Symbol.asyncIterator]()), "aborted");
  await rejection(store.get("blob", { signal: "no signal" as never }), "invalid");
  expect((await bytesOf(store, "blob"))?.length).toBe(3 * mebibyte);
  await store.destroy();
}

/** A source that has given some bytes and then waits. */
function waiting(content: Uint8Array): {
  readonly source: AsyncIterable<Uint8Array>;
  started: Promise<void>;
  go(): void;
} {
  const [started, finish] = [gate(), gate()];
  async function* source(): AsyncGenerator<Uint8Array> {
    yield content.subarray(0, 200_000);
    started.open();
    await finish.opened;
    yield content.subarray(200_000);
  }
  return { source: source(), started: started.opened, go: finish.open };
}

async function closes(scene: Scene): Promise<void> {
  const name = scene.name();
  const store = await scene.bus.blobs(name);
  const content = contentOf(1, 2 * mebibyte);
  await put(store, "read", content);
  const bus = await scene.connect();
  const closing = await bus.blobs(name);
  const [finished, unfinished] = [waiting(content), waiting(content)];
  const puts = [closing.put("finished", finished.source), closing.put("unfinished", unfinished.source)];
  await guard(Promise.all([finished.started, unfinished.started]), "the puts to begin");
  const reading = await begun(closing, "read");
  const lost = rejection(puts[1]!, "closed");
  const closed = bus.close({ drainMs: 500 });
  finished.go();
  await guard(puts[0]!, "the put that the close waits for");
  await guard(closed, "the close");
  await lost;
  await rejection(drained(reading), "closed");
  expect((await store.list()).map((each) => each.name)).toEqual(["finished", "read"]);
  await expectContent(store, "finished", content);
  await store.destroy();
}

export const blobEndClauses: readonly Clause[] = [
  clause(
    "blobs/changed-while-read",
    "a blob that is replaced or deleted while it is read fails the reading",
    replacedMeanwhile,
  ),
  clause("blobs/leave", "a reader that leaves early, or never begins, leaves nothing", leaves),
  clause("blobs/slow-reader", "a reader that takes its time is not run ahead of", slowReader),
  clause("blobs/abort", "a signal ends the reading", aborts),
  clause("blobs/close", "close waits for a put under way; one that it gives up on has put nothing", closes),
];
