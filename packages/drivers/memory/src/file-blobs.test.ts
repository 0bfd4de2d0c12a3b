import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BlobStore, type Bus, connect } from "@quadrant/bus";
import { smallDisk } from "@quadrant/testkit/faults";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder: string;
const buses: Bus[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-file-blobs-"));
});
afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.close({ drainMs: 0 })));
  await rm(folder, { recursive: true, force: true });
});

async function openStore(at: string = folder): Promise<BlobStore> {
  const bus = await connect(pathToFileURL(at).href, { timeoutMs: 20_000, requestTimeoutMs: 20_000 });
  buses.push(bus);
  return bus.blobs("store");
}

async function bytesOf(store: BlobStore, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await store.get(name))!) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function files(pattern: RegExp): Promise<string[]> {
  const found = await readdir(join(folder, "blobs"), { recursive: true });
  return found.filter((file) => pattern.test(file)).map((file) => join(folder, "blobs", file));
}

const putter = `
import { connect } from "@quadrant/bus";
const store = await (await connect(process.env.QUADRANT_URL)).blobs("store");
const all = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251);
await store.put("kept", all);
async function* unfinished() {
  yield new Uint8Array(5_000_000);
  console.log("halfway");
  await new Promise(() => setInterval(() => undefined, 1_000));
}
await Promise.all([store.put("kept", unfinished()), store.put("new", unfinished())]);
`;

function startPutter(): ChildProcess {
  return spawn(process.execPath, ["--input-type=module-typescript", "-e", putter], {
    env: { ...process.env, QUADRANT_URL: pathToFileURL(folder).href },
    stdio: ["ignore", "pipe", "inherit"],
    cwd: import.meta.dirname,
  });
}

test("of puts whose process is killed nothing is seen, and nothing is left once the folder is opened again", async () => {
  const child = startPutter();
  const exited = once(child, "exit");
  let said = "";
  for await (const text of child.stdout!) {
    said += String(text);
    if (said.split("halfway").length > 2) break;
  }
  child.kill("SIGKILL");
  await exited;
  expect(await files(/draft-/)).toHaveLength(2);
  const store = await openStore();
  expect(await store.list()).toEqual([{ name: "kept", bytes: 300_000 }]);
  expect((await bytesOf(store, "kept"))[299_999]).toBe(299_999 % 251);
  expect(await files(/draft-/)).toEqual([]);
});

test("a byte that the disk has changed fails the reading at its end", async () => {
  const store = await openStore();
  const content = randomBytes(400_000);
  await store.put("blob", content);
  const [path] = await files(/[0-9a-f]{32}-[0-9a-f]{12}$/);
  const file = await open(path!, "r+");
  await file.write(Buffer.from([content[200_000]! ^ 1]), 0, 1, 6 + 2 + "blob".length + 200_000);
  await file.close();
  await expect(bytesOf(store, "blob")).rejects.toMatchObject({ code: "codec", driver: "file" });
  await store.put("blob", content);
  expect(Buffer.compare(await bytesOf(store, "blob"), content)).toBe(0);
});

test("a full disk is overflow: what was there stays, what the put took is given back, letters still come and go", async () => {
  await using disk = await smallDisk(96 << 20);
  const bus = await connect(pathToFileURL(join(disk.folder, "data")).href, { requestTimeoutMs: 20_000 });
  const [store, box] = [await bus.blobs("store"), await bus.mailbox<number>("box")];
  const content = randomBytes(20 << 20);
  await store.put("kept", content);
  await box.send(1);
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield content;
  }
  await expect(store.put("kept", endless())).rejects.toMatchObject({ code: "overflow", retryable: true });
  expect(await store.list()).toEqual([{ name: "kept", bytes: content.length }]);
  expect(Buffer.compare(await bytesOf(store, "kept"), content)).toBe(0);
  await store.put("other", content);
  for await (const letter of await box.receive()) {
    await letter.ack();
    break;
  }
  await bus.close();
});
