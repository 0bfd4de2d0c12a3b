import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial } from "node:net";
import { type Bus, connect } from "@quadrant/bus";
import { openPlayer } from "@quadrant/games";
import { type Hub, startHub } from "@quadrant/zeromq";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CapturedIo, run } from "../captured-io.ts";
import { main } from "../program.ts";

let hub: Hub;
let bus: Bus;
beforeAll(async () => {
  hub = await startHub();
  bus = await connect(hub.url);
});
afterAll(async () => {
  await bus?.close();
  await hub?.[Symbol.asyncDispose]();
});

test("a player of the command's text port meets one of the bus; list and watch show the match", async () => {
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const io = new CapturedIo();
  const serving = main(["game", "serve", "--classic", String(port), "--url", hub.url], io);
  await io.stderr.until((text) => text.includes(`127.0.0.1:${port}`));
  const terminal = dial(port, "127.0.0.1").setEncoding("utf8");
  terminal.write("NEW\n");
  const [text] = (await once(terminal, "data")) as [string];
  const [, match = ""] = text.split(" ");
  await using ann = await openPlayer(bus, { name: "ann" });
  const o = await ann.join(match);
  terminal.write("X 1 1\n");
  expect(await once(terminal, "data")).toEqual([". . .\n. X .\n. . .\n"]);
  expect(await o.resign()).toMatchObject({ ok: true, version: 4 });
  terminal.destroy();

  const listed = await run(["game", "list", "--json", "--url", hub.url]);
  expect(listed.lines.map((line) => JSON.parse(line))).toMatchObject([
    { match, state: "ended", names: ["classic", "ann"] },
  ]);
  expect((await run(["game", "list", "--url", hub.url])).out).toContain("classic won");
  const watched = await run(["game", "watch", match, "--json", "--url", hub.url]);
  expect(watched.lines.map((line) => JSON.parse(line).version)).toEqual([1, 2, 3, 4]);
  const late = await run(["game", "watch", match, "--from", "3", "--url", hub.url]);
  expect(late.lines.map((line) => line.split("\t")[2])).toEqual(['classic moved {"x":1,"y":1}', "ended; classic won"]);
  expect((await run(["game", "watch", "not-a-match-here", "--url", hub.url])).code).not.toBe(0);
  io.interrupt();
  expect(await serving).toBeLessThan(256);
});
