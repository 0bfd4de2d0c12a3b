/** The page's server, over games that are made up: who is let in, what is served, and what a page may ask. */
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import type { Games, MatchView, Step } from "../games.ts";
import type { Asked, Told } from "../protocol.ts";
import { type Dashboard, type DashboardOptions, startDashboard } from "./dashboard.ts";

const token = "a-token-of-the-test-0123";
const view: MatchView = {
  state: "running",
  names: ["Ada", "Bob"],
  toMove: 0,
  board: [],
  drawOfferedBy: null,
  rematchOfferedBy: null,
};
const step = (version: number, board: unknown = []): Step => ({
  match: "m",
  game: "tictactoe",
  version,
  at: 0,
  events: [],
  view: { ...view, board },
});

async function* steps(from: number, to: number): AsyncGenerator<Step> {
  for (let version = from; version <= to; version++) yield step(version);
}

const none: Games = {
  open: () => Promise.reject(new Error("a secret of the server's")),
  spectate: (_, { from = 1 } = {}) => steps(from, 3),
  matches: () => Promise.resolve([]),
  leaders: () => Promise.resolve([{ name: "Ada", rating: 1216, played: 1, won: 1, drawn: 0, lost: 0 }]),
};

async function started(options: Partial<DashboardOptions> = {}): Promise<Dashboard> {
  const jobs = { follow: async function* () {} };
  const dashboard = await startDashboard({ games: none, jobs, token, ...options });
  onTestFinished(() => dashboard[Symbol.asyncDispose]());
  return dashboard;
}

const cookieOf = ({ port }: Dashboard): string => `quadrant-${port}=${token}`;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** fetch does not let one choose the Host. */
async function get(
  { port }: Dashboard,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<Answer> {
  const asked = request({ port, host: "127.0.0.1", path, method, headers: { connection: "close", ...headers } }).end();
  const [answer] = await once(asked, "response");
  let body = "";
  for await (const chunk of answer) body += chunk;
  return { status: answer.statusCode, headers: answer.headers, body };
}

/** What the server says to an upgrade that it refuses; the socket where it does not. */
async function visit(dashboard: Dashboard, headers: Record<string, string> = {}): Promise<WebSocket | number> {
  const { port } = dashboard;
  const given = { cookie: cookieOf(dashboard), origin: `http://127.0.0.1:${port}`, ...headers };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers: given });
  onTestFinished(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.once("unexpected-response", (_, answer) => resolve(answer.statusCode ?? 0));
    socket.once("error", reject);
  });
}

/** All that is told of one id, until its end. */
function asking(socket: WebSocket, asked: Asked | string): Promise<readonly Told[]> {
  const id = typeof asked === "string" ? 0 : asked.id;
  const all: Told[] = [];
  return new Promise((resolve) => {
    socket.on("message", (data) => {
      const told = JSON.parse(String(data)) as Told;
      if (!("id" in told) || told.id !== id) return;
      all.push(told);
      if (!("item" in told)) resolve(all);
    });
    socket.send(typeof asked === "string" ? asked : JSON.stringify(asked));
  });
}

async function visitor(dashboard: Dashboard): Promise<WebSocket> {
  const socket = await visit(dashboard);
  if (typeof socket === "number") throw new Error(`refused with ${socket}`);
  return socket;
}

it("lets in by the token once, then by a strict cookie; nobody else", async () => {
  const dashboard = await started();
  expect((await get(dashboard, "/")).status).toBe(401);
  expect((await get(dashboard, "/?token=wrong-token-0123456789")).status).toBe(401);
  expect((await get(dashboard, "/page/style.css")).status).toBe(401);
  expect((await get(dashboard, "/", { cookie: `quadrant-${dashboard.port}=${token}x` })).status).toBe(401);
  const first = await get(dashboard, new URL(dashboard.url).pathname + new URL(dashboard.url).search);
  expect(first).toMatchObject({ status: 303, headers: { location: "/" } });
  const [cookie = ""] = first.headers["set-cookie"] ?? [];
  expect(cookie).toContain("HttpOnly");
  expect(cookie).toContain("SameSite=Strict");
  const page = await get(dashboard, "/", { cookie: cookie.split(";")[0] ?? "" });
  expect(page.status).toBe(200);
  expect(page.body).not.toContain(token);
});

it("listens at loopback alone, with a token that cannot be guessed, and says where", async () => {
  const dashboard = await started({ token: undefined });
  expect(dashboard.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/);
  await expect(started({ port: dashboard.port })).rejects.toMatchObject({ code: "unavailable" });
  await expect(started({ token: "short" })).rejects.toMatchObject({ code: "invalid" });
});

it("answers to its own names alone", async () => {
  const dashboard = await started();
  const cookie = cookieOf(dashboard);
  for (const host of ["evil.example", `evil.example:${dashboard.port}`, "127.0.0.1", "127.0.0.1:1"]) {
    expect((await get(dashboard, "/", { cookie, host })).status, host).toBe(421);
  }
  expect((await get(dashboard, "/", { cookie, host: `LOCALHOST:${dashboard.port}` })).status).toBe(200);
  expect(await visit(dashboard, { host: `evil.example:${dashboard.port}` })).toBe(421);
});

it("opens its socket to its own page alone", async () => {
  const dashboard = await started();
  expect(await visit(dashboard, { origin: "http://evil.example" })).toBe(403);
  expect(await visit(dashboard, { origin: `https://127.0.0.1:${dashboard.port}` })).toBe(403);
  expect(await visit(dashboard, { origin: "null" })).toBe(403);
  expect(await visit(dashboard, { cookie: "" })).toBe(401);
  expect(await visit(dashboard)).toBeInstanceOf(WebSocket);
});

it("sends the page with a policy that lets nothing else in", async () => {
  const dashboard = await started();
  const cookie = cookieOf(dashboard);
  const page = await get(dashboard, "/", { cookie });
  const policy = String(page.headers["content-security-policy"]);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
  expect(page.headers).toMatchObject({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
  expect(page.body).not.toMatch(/<script>|<style|style=|onclick|https?:/);
  const scripts = [...page.body.matchAll(/src="([^"]+\.[jt]s)"/g)].map(([, path]) => path ?? "");
  expect(scripts).toHaveLength(1);
  for (const path of scripts) {
    const script = await get(dashboard, path, { cookie });
    expect(script).toMatchObject({ status: 200, headers: { "content-type": "text/javascript; charset=utf-8" } });
    expect(script.body).not.toMatch(/^import type|: string\b/m);
    const again = await get(dashboard, path, { cookie, "if-none-match": String(script.headers.etag) });
    expect(again).toMatchObject({ status: 304, body: "" });
  }
});

it("has nothing but the page: no other path, no other method, no way out of its folder", async () => {
  const dashboard = await started();
  const cookie = cookieOf(dashboard);
  for (const path of ["/page/", "/page/../server/access.ts", "/page/%2e%2e/index.ts", "/package.json", "/socket"]) {
    expect((await get(dashboard, path, { cookie })).status, path).toBe(404);
  }
  expect((await get(dashboard, "/", { cookie }, "POST")).status).toBe(405);
});

it("answers, streams, and ends what it is asked to", async () => {
  const socket = await visitor(await started());
  const [told] = await asking(socket, { id: 1, ask: "leaders", of: { game: "nim" } });
  expect(told).toMatchObject({ id: 1, value: [{ name: "Ada" }] });
  const all = await asking(socket, { id: 2, ask: "match", of: { match: "m", from: 2 } });
  expect(all).toEqual([
    { id: 2, item: step(2) },
    { id: 2, item: step(3) },
    { id: 2, end: true },
  ]);
  const endless = asking(socket, { id: 3, ask: "jobs" });
  socket.send(JSON.stringify({ id: 3, stop: true }));
  expect((await endless).at(-1)).toEqual({ id: 3, end: true });
});

it.each([
  ["no JSON", "{"],
  ["no object", "[]"],
  ["no id", '{"ask":"jobs"}'],
  ["an id that is no number", '{"id":"1","ask":"jobs"}'],
  ["nothing asked", '{"id":1}'],
])("closes on %s", async (_, text) => {
  const socket = await visitor(await started());
  socket.send(text);
  const [code] = await once(socket, "close");
  expect(code).toBe(1008);
});

it("refuses what it does not know, and tells nothing of its own errors", async () => {
  const socket = await visitor(await started());
  const failure = async (id: number, ask: string, of?: Record<string, unknown>): Promise<unknown> =>
    (await asking(socket, { id, ask, of })).at(-1);
  const bad = { error: { code: "malformed" } };
  expect(await failure(1, "everything")).toMatchObject(bad);
  expect(await failure(2, "__proto__")).toMatchObject(bad);
  expect(await failure(3, "match", { match: "a.b" })).toMatchObject(bad);
  expect(await failure(4, "match", { match: "m", from: -1 })).toMatchObject(bad);
  expect(await failure(5, "seek", { game: "nim", name: "a\u0000" })).toMatchObject(bad);
  expect(await failure(6, "seek", { game: "nim", name: "x".repeat(33) })).toMatchObject(bad);
  expect(await failure(7, "move", { match: "m", token: "t", move: {} })).toMatchObject(bad);
  const secret = await failure(8, "seek", { game: "nim", name: "Ada" });
  expect(secret).toMatchObject({ error: { code: "failed" } });
  expect(JSON.stringify(secret)).not.toContain("secret");
});

it("closes on what is too long, and refuses more at once than it holds", async () => {
  const dashboard = await started();
  const long = await visitor(dashboard);
  long.send(JSON.stringify({ id: 1, ask: "x".repeat(20_000) }));
  expect((await once(long, "close"))[0]).toBe(1009);
  const many = await visitor(dashboard);
  for (let id = 1; id <= 64; id++) many.send(JSON.stringify({ id, ask: "jobs" }));
  expect((await asking(many, { id: 65, ask: "jobs" })).at(-1)).toMatchObject({ error: { code: "too-many" } });
  expect((await asking(many, { id: 1, ask: "jobs" })).at(-1)).toMatchObject({ id: 1 });
});

it("takes from a stream only what the page takes, and drops one that takes nothing", async () => {
  let taken = 0;
  let ended = false;
  async function* endless(): AsyncGenerator<Step> {
    try {
      for (;;) yield step(++taken, "x".repeat(100_000));
    } finally {
      ended = true;
    }
  }
  const dashboard = await started({ games: { ...none, spectate: endless }, slowMs: 300 });
  const socket = await visitor(dashboard);
  socket.send(JSON.stringify({ id: 1, ask: "match", of: { match: "m" } }));
  socket.pause();
  await vi.waitFor(() => expect(ended).toBe(true), { timeout: 30_000 });
  // What fits into the buffers of the two sockets, and one more.
  expect(taken).toBeLessThan(400);
});

it("ends a request that does not go on, and ends all when it closes", { timeout: 90_000 }, async () => {
  const dashboard = await started();
  const slow = connect(dashboard.port, "127.0.0.1");
  slow.on("error", () => undefined).write("GET / HTTP/1.1\r\nHost: ");
  const socket = await visitor(dashboard);
  const closed = once(socket, "close");
  socket.send(JSON.stringify({ id: 1, ask: "jobs" }));
  await pause(0);
  await dashboard[Symbol.asyncDispose]();
  await dashboard[Symbol.asyncDispose]();
  expect((await closed)[0]).toBe(1001);
  await once(slow.resume(), "close");
  await expect(get(dashboard, "/")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});
