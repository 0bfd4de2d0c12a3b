import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial } from "node:net";
import { type Bus, connect } from "@quadrant/bus";
import { openPlayer, startGames } from "@quadrant/games";
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

const times = (text: string, part: string): number => text.split(part).length - 1;

test("a match in the terminal: boards, what the rules refuse, the end; then its replay", async () => {
  await using _services = await startGames(bus, { roles: ["referee", "views"] });
  const io = new CapturedIo();
  const playing = main(["game", "play", "--open", "--name", "bea", "--url", hub.url], io);
  await io.stderr.until((text) => text.includes("--join "));
  const match = /--join (\S+)/.exec(io.stderr.text)?.[1] ?? "";
  await using ann = await openPlayer(bus, { name: "ann" });
  const o = await ann.join(match);
  const typed = async (line: string, turn: number): Promise<void> => {
    await io.stderr.until((text) => times(text, "your move, X") >= turn);
    io.stdin.write(`${line}\n`);
  };
  await typed("1 1", 1);
  await io.stdout.until((text) => text.includes(" 1  . X .\n"));
  io.stdin.write("0 0\n3 middle\n");
  await io.stderr.until(
    (text) => text.includes("NOT_YOUR_TURN") && text.includes('"3 middle" is no move of tictactoe'),
  );
  expect(await o.move({ x: 0, y: 0 })).toMatchObject({ ok: true });
  await typed("0 0", 2);
  await io.stderr.until((text) => text.includes("OCCUPIED: O holds that cell"));
  io.stdin.write("1 0\n");
  await io.stdout.until((text) => text.includes(" 0  O X .\n"));
  expect(await o.move({ x: 2, y: 2 })).toMatchObject({ ok: true });
  await typed("1 2", 3);
  expect(await playing).toBe(0);
  expect(io.stderr.text).toContain("you have won");

  const { out, err } = await run(["game", "replay", match, "--url", hub.url]);
  expect(out).toContain('4. ann (O) moved {"x":0,"y":0}\n    0 1 2\n 0  O . .\n 1  . X .\n 2  . . .\n');
  expect(err).toContain("bea (X) has won");
  const none = await run(["game", "replay", "no-such-match-here", "--url", hub.url]);
  expect([none.code, none.err]).toEqual([1, expect.stringContaining("no-such-match-here")]);
});

test("against a bot in the terminal, and a seat that is come back to", async () => {
  await using _services = await startGames(bus);
  const io = new CapturedIo();
  const playing = main(["game", "play", "connect4", "--bot", "--name", "cid", "--url", hub.url], io);
  await io.stderr.until((text) => text.includes("your move, X"));
  io.stdin.write("3\n");
  await io.stderr.until((text) => times(text, "your move, X") === 2);
  io.interrupt();
  await playing;
  const [, match, token] = /--resume (\S+) --token (\S+)/.exec(io.stderr.text) ?? [];
  const again = new CapturedIo();
  const resumed = main(["game", "play", "--resume", match!, "--token", token!, "--url", hub.url], again);
  await again.stderr.until((text) => text.includes("your move, X"));
  // Nobody types any more.
  again.stdin.end();
  expect(await resumed).toBe(0);
  expect(again.stderr.text).toContain("you have lost; ");
});

test("a seat is asked for in one way", async () => {
  const twice = await run(["game", "play", "--bot", "--open", "--url", hub.url]);
  expect([twice.code, twice.err]).toEqual([2, expect.stringContaining("give one of them")]);
  const bare = await run(["game", "play", "--resume", "m", "--url", hub.url]);
  expect([bare.code, bare.err]).toEqual([2, expect.stringContaining("--token")]);
});
