import { once } from "node:events";
import { connect as dial, type Socket } from "node:net";
import { type Bus, connect } from "@quadrant/bus";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openPlayer } from "../player.ts";
import { startReferee } from "../referee.ts";
import { startViews } from "../views.ts";
import { type ClassicServer, startClassicServer } from "./classic-server.ts";
import { LineSplitter } from "./line-splitter.ts";

const started = new AsyncDisposableStack();
let bus: Bus;
let server: ClassicServer;
beforeAll(async () => {
  bus = started.use(await connect("memory:"));
  started.use(await startReferee(bus));
  started.use(await startViews(bus));
  server = started.use(await startClassicServer(bus));
});
afterAll(() => started.disposeAsync());

/** What nc is: bytes out, text in. */
class Terminal implements Disposable {
  readonly socket: Socket = dial(server.port, "127.0.0.1");
  text = "";
  constructor() {
    this.socket.setEncoding("utf8").on("data", (text: string) => {
      this.text += text;
    });
  }
  send(text: string): void {
    this.socket.write(text);
  }
  /** Until it matches what came since the last time. */
  async read(pattern: RegExp): Promise<RegExpExecArray> {
    await expect.poll(() => this.text).toMatch(pattern);
    const found = pattern.exec(this.text) as RegExpExecArray;
    this.text = this.text.slice(found.index + found[0].length);
    return found;
  }
  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

const seated = /MATCH (\S+) ([XO]) (\S+)\n/;

it("two terminals play to the win: boards, errors, WIN X", async () => {
  using x = new Terminal();
  using o = new Terminal();
  x.send("X 0 0\nNEW\n");
  await x.read(/ERROR NO_SEAT .*\n/);
  const [, match] = await x.read(seated);
  x.send("X 0 0\n");
  await x.read(/ERROR NOT_STARTED .*\n/);
  o.send(`JOIN ${match}\r\n`);
  await o.read(seated);
  o.send("X 1 1\nO 1 1\nO 1\nhello\n");
  await o.read(/ERROR NOT_YOUR_MARK .*\nERROR NOT_YOUR_TURN .*\nERROR MALFORMED .*\nERROR MALFORMED .*\n/);
  x.send("X 3 0\nX 1 1\n");
  await x.read(/ERROR OUT_OF_RANGE .*\n\. \. \.\n\. X \.\n\. \. \.\n/);
  o.send("O 1 1\nO 0 0\n");
  await o.read(/ERROR OCCUPIED X holds that cell\nO \. \.\n\. X \.\n\. \. \.\n/);
  x.send("X 1 0\n");
  await x.read(/O X \.\n/);
  o.send("O 2 0\n");
  await o.read(/O X O\n/);
  x.send("X 1 2\nX 2 2\n");
  await x.read(/\. X \.\nWIN X\nERROR MATCH_OVER .*\n/);
});

it("a terminal meets a player of the bus; half lines, a line too long, and a reconnection in the middle", async () => {
  await using ann = await openPlayer(bus, { name: "ann" });
  const x = await ann.create("tictactoe");
  let token = "";
  {
    using o = new Terminal();
    o.send(`JO`);
    await once(o.socket, "ready");
    o.send(`IN ${x.match}`);
    o.send("\n");
    token = (await o.read(seated))[3] ?? "";
    o.send(`${"z".repeat(10_000)}\nWAIT 3\n`);
    await o.read(/ERROR MALFORMED .*4096.*\n/);
    await x.move({ x: 1, y: 1 });
    await o.read(/AT 3\n\. \. \.\n\. X \.\n/);
  }
  using again = new Terminal();
  again.send(`RESUME ${x.match} ${token}\nO 0 0\n`);
  await again.read(/MATCH \S+ O .*\nO \. \.\n\. X \.\n/);
  expect(await x.resign()).toMatchObject({ ok: true, version: 5 });
  again.send(`RESUME ${x.match} ${"a".repeat(32)}\nJOIN nothing-is-here\n`);
  await again.read(/ERROR DENIED .*\nERROR INVALID .*\n/);
});

it("who pipelines thousands of lines and reads nothing harms nobody", async () => {
  using flooding = new Terminal();
  flooding.socket.pause();
  flooding.send("hello\n".repeat(20_000));
  using x = new Terminal();
  x.send("NEW\n");
  await x.read(seated);
  flooding.socket.resume();
  await expect.poll(() => flooding.text.split("\n").length - 1, { timeout: 30_000 }).toBe(20_000);
});

it("lines are the same however their bytes are cut, and never longer than the bound", () => {
  const bytes = new TextEncoder().encode("X 1 2\r\nhällo\n\nabcdefghijk\nO 1 1\n");
  for (let size = 1; size <= bytes.length; size++) {
    const splitter = new LineSplitter(10);
    const lines: (string | undefined)[] = [];
    for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)));
    expect(lines).toEqual(["X 1 2", "hällo", "", undefined, "O 1 1"]);
  }
});
