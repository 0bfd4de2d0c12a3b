import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { BlobStore, BusErrorCode } from "@quadrant/contract";
import { expect } from "vitest";
import { begun, contentOf, drained, expectContent, mebibyte, put } from "./blob-content.ts";
import type { PutterTask } from "./blob-putter.ts";
import { type Clause, durableClause, faultClause } from "./clause.ts";
import { patiently, seen, statusesOf, whileDead, whilePaused } from "./faults.ts";
import { eventually, gate, guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

const unanswered: readonly BusErrorCode[] = ["unavailable", "timeout", "indefinite"];

/** A source of so many mebibytes, and how many were taken of it. */
function counted(mebibytes: number): { readonly source: AsyncIterable<Uint8Array>; taken: number } {
  const counter = { taken: 0, source: generate() };
  async function* generate(): AsyncGenerator<Uint8Array> {
    for (const seed of range(mebibytes)) {
      counter.taken++;
      yield contentOf(seed, mebibyte);
    }
  }
  return counter;
}

/** Each operation ends, a put takes no more of its source than is under way, and what is read is right or fails. */
async function everythingEnds(scene: Scene, fault: (work: () => Promise<void>) => Promise<void>): Promise<void> {
  const bus = await scene.connect({ requestTimeoutMs: 1_000 });
  const name = scene.name();
  const patient = await scene.connect({ requestTimeoutMs: 20_000 });
  const [store, prepared] = [await bus.blobs(name), await patient.blobs(name)];
  const content = contentOf(1, 3 * mebibyte);
  await Promise.all(["kept", "deleted"].map((each) => put(prepared, each, content)));
  const [halfway, finish] = [gate(), gate()];
  async function* interrupted(): AsyncGenerator<Uint8Array> {
    yield content;
    halfway.open();
    await finish.opened;
    yield content;
  }
  const interruptedPut = store.put("interrupted", interrupted());
  interruptedPut.catch(() => undefined);
  await guard(halfway.opened, "half of the blob to be taken");
  const reading = await begun(store, "kept");
  const large = counted(64);
  let deleted: BusErrorCode | undefined;
  await fault(async () => {
    finish.open();
    const operations = [
      rejection(interruptedPut, ...unanswered),
      rejection(store.put("large", large.source), ...unanswered),
      rejection(store.put("small", content.subarray(0, 5)), ...unanswered),
      rejection(store.get("kept"), ...unanswered),
      rejection(drained(reading), ...unanswered),
      rejection(store.list(), ...unanswered),
      rejection(bus.blobs(scene.name()), ...unanswered),
      rejection(bus.list("blobs"), ...unanswered),
    ];
    deleted = (await rejection(store.delete("deleted"), ...unanswered)).code;
    await Promise.all(operations);
    // What is under way is about a mebibyte, and one more is in hand.
    expect(large.taken).toBeLessThanOrEqual(3);
  });
  const left = await patiently(() => store.list());
  // Of a write only "indefinite" leaves open whether it happened.
  expect(left.some((each) => each.name === "deleted") || deleted === "indefinite" || left.length === 0).toBe(true);
  for (const each of left) expect(["kept", "deleted"]).toContain(each.name);
  const same = await patiently(() => bus.blobs(scene.name()));
  await put(same, "again", content.subarray(0, 5));
  await same.destroy();
}

/** What the broker kept is what was put, and nothing else of it. */
async function unfinishedIsNothing(store: BlobStore, kept: Uint8Array): Promise<void> {
  await expectContent(store, "kept", kept);
  expect(await store.get("new")).toBeUndefined();
  expect(await store.list()).toEqual([{ name: "kept", bytes: kept.length }]);
}

async function startPutter(task: PutterTask): Promise<ChildProcess> {
  const file = import.meta.url.endsWith(".ts") ? "./blob-putter.ts" : "./blob-putter.js";
  const program = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(program, { execPath: process.execPath, execArgv: [], stdio: ["ignore", 2, 2, "ipc"] });
  let halfway = 0;
  child.on("message", () => halfway++);
  child.send(task);
  await eventually("the other process to be halfway", () => halfway === task.names.length || child.exitCode !== null);
  expect(child.exitCode).toBeNull();
  return child;
}

async function killedClient(scene: Scene): Promise<void> {
  const name = scene.name();
  const store = await scene.bus.blobs(name);
  const kept = contentOf(1, 300_000);
  await put(store, "kept", kept);
  const task = { url: scene.url, options: scene.options, store: name, names: ["kept", "new"] };
  const child = await startPutter(task);
  const exited = once(child, "exit");
  await unfinishedIsNothing(store, kept).finally(() => child.kill("SIGKILL"));
  await guard(exited, "the client to be gone");
  await unfinishedIsNothing(store, kept);
  // The next put of the name is not in its way.
  await put(store, "kept", kept.subarray(0, 10));
  await expectContent(store, "kept", kept.subarray(0, 10));
  await store.destroy();
}

async function keptBlobs(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const [store, gone] = [await bus.blobs(scene.name()), await bus.blobs(scene.name())];
  const [large, small] = [contentOf(1, 2 * mebibyte), contentOf(2, 10)];
  await Promise.all([put(store, "kept", large), put(store, "deleted", large), put(gone, "destroyed", small)]);
  await Promise.all([put(store, "replaced", large), put(store, "empty", small.subarray(0, 0))]);
  await put(store, "replaced", small);
  await store.delete("deleted");
  await gone.destroy();
  const halfway = gate();
  async function* unfinished(): AsyncGenerator<Uint8Array> {
    yield large;
    halfway.open();
    await new Promise(() => undefined);
  }
  const interrupted = rejection(store.put("kept", unfinished()), ...unanswered, "closed");
  await guard(halfway.opened, "half of the blob to be taken");
  const statuses = statusesOf(bus);
  await seen(statuses, "connected");
  await whileDead(scene, () => seen(statuses, "disconnected"));
  await seen(statuses, "reconnected");
  const listed = await patiently(() => store.list());
  expect(listed).toEqual([
    { name: "empty", bytes: 0 },
    { name: "kept", bytes: large.length },
    { name: "replaced", bytes: 10 },
  ]);
  await expectContent(store, "kept", large);
  await expectContent(store, "replaced", small);
  await expectContent(store, "empty", small.subarray(0, 0));
  await rejection(gone.list(), "conflict");
  await bus.close({ drainMs: 0 });
  await interrupted;
}

export const blobFaultClauses: readonly Clause[] = [
  faultClause("blobs/paused", "with the broker stopped every operation on blobs ends, in bounded memory", (scene) =>
    everythingEnds(scene, (work) => whilePaused(scene, work)),
  ),
  faultClause("blobs/killed", "with the broker gone every operation on blobs ends, in bounded memory", (scene) =>
    everythingEnds(scene, (work) => whileDead(scene, work)),
  ),
  faultClause("blobs/killed-client", "of a put whose process is killed nothing is seen", killedClient),
  durableClause("blobs/kept", "after a kill blobs are there, and no part of what was not complete", keptBlobs),
];
