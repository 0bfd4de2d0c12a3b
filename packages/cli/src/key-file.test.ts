import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPair } from "@quadrant/zeromq";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CapturedIo, type Outcome, run } from "./captured-io.ts";
import { authOf, keysOf, readClients, readSecretKey } from "./key-file.ts";
import { main } from "./program.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-keys-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Makes a key file and returns its path and public key. */
async function keygen(name: string): Promise<{ readonly file: string; readonly publicKey: string }> {
  const file = join(folder, name);
  const { code, lines } = await run(["hub", "keygen", file]);
  expect(code).toBe(0);
  return { file, publicKey: lines[0]! };
}

test("keygen writes a pair that only its owner can read, shows the public key, and overwrites nothing", async () => {
  const { file, publicKey } = await keygen("mine.json");
  const text = await readFile(file, "utf8");
  const { secretKey } = JSON.parse(text) as { secretKey: string };
  expect(JSON.parse(text)).toEqual({ publicKey, secretKey });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readSecretKey("--secret-key-file", file)).toBe(secretKey);
  const { code, err } = await run(["hub", "keygen", file]);
  expect([code, err]).toEqual([1, expect.stringContaining("exists")]);
  expect(await readFile(file, "utf8")).toBe(text);
});

test("keygen without a file prints both keys", async () => {
  const { lines } = await run(["hub", "keygen"]);
  expect(lines).toEqual([expect.stringMatching(/^public .{40}$/), expect.stringMatching(/^secret .{40}$/)]);
});

test("a file that is missing or holds something else fails in words that do not quote it", async () => {
  const secret = generateKeyPair().secretKey;
  const broken = join(folder, "broken.json");
  await writeFile(broken, `{"secretKey": "${secret}"`);
  for (const attempt of [
    () => readClients("--clients", join(folder, "none.json")),
    () => readClients("--clients", broken),
    () => readSecretKey("--secret-key-file", broken),
    () => authOf({ keyFile: broken, serverKey: "x" }),
    () => authOf({ serverKey: "x" }),
    () => authOf(keysOf({}, { QUADRANT_KEY_FILE: broken })),
  ]) {
    const failure = (await attempt().catch((error: unknown) => error)) as Error;
    expect(failure.name).toBe("CommandFailure");
    expect(failure.message).toMatch(/^--/);
    expect(failure.message).not.toContain(secret);
  }
  expect(await authOf(keysOf({}, {}))).toBeUndefined();
});

test("a hub with keys and clients lets in whom it knows, and a command that was denied something fails", async () => {
  const [hubKeys, mine, strange] = [await keygen("hub.json"), await keygen("me.json"), await keygen("strange.json")];
  const clients = join(folder, "clients.json");
  await writeFile(clients, JSON.stringify({ [mine.publicKey]: { publish: ["news.>"], spaces: ["mine"] } }));
  const io = new CapturedIo();
  const hub = ["hub", "--url", "zmq://127.0.0.1:0", "--secret-key-file", hubKeys.file, "--clients", clients];
  const done = main(hub, io);
  await Promise.race([io.stderr.until((text) => text.includes("the hub is running")), done]);
  expect(io.stderr.text).toContain(hubKeys.publicKey);
  const [url] = io.stdout.lines;
  const as = (argv: readonly string[], file = mine.file): Promise<Outcome> =>
    run([...argv, "--url", url!, "--connect-timeout", "30s", "--key-file", file, "--server-key", hubKeys.publicKey]);
  const outcome = ({ code, err }: Outcome): unknown => [code, err];
  expect(outcome(await as(["pub", "news.a", "1"]))).toEqual([0, expect.anything()]);
  expect(outcome(await as(["pub", "other", "1"]))).toEqual([1, expect.stringContaining("denied")]);
  expect(outcome(await as(["out", "theirs", '["a"]']))).toEqual([1, expect.stringContaining("denied")]);
  expect(outcome(await as(["info"], strange.file))).toEqual([1, expect.stringContaining("does not let")]);
  expect(outcome(await run(["info", "--url", url!]))).toEqual([1, expect.stringContaining("only clients with keys")]);
  const env = { QUADRANT_KEY_FILE: mine.file, QUADRANT_SERVER_KEY: hubKeys.publicKey };
  const { code, out } = await run(["info", "--url", url!], "", new CapturedIo(env));
  expect(code).toBe(0);
  expect(out).toMatch(/hub\.clients\.1 {2}name "quadrant info"/);
  expect(out).toMatch(/hub\.bounds\.sessions {2}\d+/);
  io.interrupt("SIGINT");
  expect(await done).toBe(130);
});

test("clients without a hub's key make no sense", async () => {
  const { code, err } = await run(["hub", "--url", "zmq://127.0.0.1:0", "--clients", "x"]);
  expect([code, err]).toEqual([2, expect.stringContaining("--secret-key-file")]);
});
