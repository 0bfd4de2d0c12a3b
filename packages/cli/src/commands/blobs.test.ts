import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, connect } from "@quadrant/bus";
import { type Hub, startHub } from "@quadrant/zeromq";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CapturedIo, type Outcome, run } from "../captured-io.ts";
import { main } from "../program.ts";

let hub: Hub;
let bus: Bus;
let folder: string;

beforeAll(async () => {
  hub = await startHub();
  bus = await connect(hub.url);
  folder = await mkdtemp(join(tmpdir(), "quadrant-cli-blobs-"));
});
afterAll(async () => {
  await bus?.close();
  await hub?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const quadrant = (argv: readonly string[], input?: string, io?: CapturedIo): Promise<Outcome> =>
  run(["blobs", ...argv, "--url", hub.url], input, io);

test("put takes a file or stdin, get gives a file or stdout, with the sum that sha256sum prints", async () => {
  const content = randomBytes(3_000_000);
  const [from, to] = [join(folder, "from"), join(folder, "to")];
  await writeFile(from, content);
  const sha256 = createHash("sha256").update(content).digest("hex");
  expect(await quadrant(["put", "files", "a/b.bin", from])).toMatchObject({ code: 0, lines: [`${sha256}  a/b.bin`] });
  expect(await quadrant(["get", "files", "a/b.bin", to])).toMatchObject({ code: 0, out: "" });
  expect(Buffer.compare(await readFile(to), content)).toBe(0);

  const put = await quadrant(["put", "files", "text", "--json"], "größe\n");
  expect(JSON.parse(put.out)).toMatchObject({ name: "text", bytes: 8 });
  expect(await quadrant(["get", "files", "text"])).toMatchObject({ code: 0, out: "größe\n" });
});

test("list and delete", async () => {
  for (const name of ["x/1", "x/2", "y"]) await quadrant(["put", "listed", name], name.repeat(10));
  expect((await quadrant(["list", "listed"])).lines).toEqual(["30\tx/1", "30\tx/2", "10\ty"]);
  expect((await quadrant(["list", "listed", "x/", "--json"])).lines).toEqual([
    '{"name":"x/1","bytes":30}',
    '{"name":"x/2","bytes":30}',
  ]);
  expect((await quadrant(["delete", "listed", "x/1", "y"])).code).toBe(0);
  expect((await quadrant(["list", "listed"])).lines).toEqual(["30\tx/2"]);
  const gone = await quadrant(["delete", "listed", "y"]);
  expect(gone).toMatchObject({ code: 1, err: expect.stringContaining("there is no blob called y in listed") });
});

test("what is not there fails, and is not made", async () => {
  for (const argv of [
    ["get", "nowhere", "x"],
    ["list", "nowhere"],
    ["delete", "nowhere", "x"],
  ]) {
    const { code, err } = await quadrant(argv);
    expect([code, err]).toEqual([1, expect.stringContaining("no blob store is called nowhere")]);
  }
  expect(await bus.list("blobs")).not.toContain("nowhere");
  await bus.blobs("empty");
  const file = join(folder, "absent");
  expect(await quadrant(["get", "empty", "x", file])).toMatchObject({
    code: 1,
    err: expect.stringContaining("called x"),
  });
  expect((await quadrant(["put", "empty", "x", join(folder, "no such file")])).err).toContain("ENOENT");
  expect(await (await bus.blobs("empty")).list()).toEqual([]);
  expect((await readdir(folder)).filter((each) => each.startsWith("absent"))).toEqual([]);
});

test("bytes are not poured over a terminal, nor awaited from one", async () => {
  await (await bus.blobs("terminal")).put("blob", randomBytes(10));
  const [reading, typing] = [new CapturedIo(), new CapturedIo()];
  reading.stdout.isTTY = true;
  typing.stdin.isTTY = true;
  expect(await quadrant(["get", "terminal", "blob"], undefined, reading)).toMatchObject({ code: 2, out: "" });
  expect(await quadrant(["put", "terminal", "typed"], undefined, typing)).toMatchObject({ code: 2 });
});

test("an interrupt ends a put that waits for stdin, and nothing was put", async () => {
  const io = new CapturedIo();
  await bus.blobs("interrupted");
  const done = main(["blobs", "put", "interrupted", "blob", "--url", hub.url], io);
  await new Promise<void>((resolve) => io.stdin.write(randomBytes(300_000), () => resolve()));
  io.interrupt();
  expect(await done).toBe(130);
  expect(await (await bus.blobs("interrupted")).list()).toEqual([]);
});
