import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Driver, encodeTemplate, encodeTuple, isBusError } from "@quadrant/contract";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { open } from "../index.ts";

const options = {
  name: "test",
  timeoutMs: 20_000,
  requestTimeoutMs: 20_000,
  maxPayloadBytes: 8 << 20,
  outboxBytes: 64 << 20,
};
const number = encodeTemplate(["t", Number]);
const tuple = (n: number): string => encodeTuple(["t", n]);

let broker: StartedBroker;
const cleanups: (() => unknown)[] = [];
beforeEach(async () => {
  broker = await startBroker("nats");
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await broker[Symbol.asyncDispose]();
});

async function client(owner: "never" | "allow" | "prefer", change: Partial<typeof options> = {}): Promise<Driver> {
  const driver = await open(new URL(`${broker.url}?owner=${owner}`), { ...options, ...change });
  cleanups.push(() => driver.close(0));
  return driver;
}

/** Told a path, its main thread does nothing else until there is such a file. */
const program = `import { existsSync } from "node:fs";
  import { open } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
  const driver = await open(new URL(process.argv[1]), ${JSON.stringify(options)});
  process.stdin.on("end", () => process.exit()).on("data", (path) => {
    console.log("busy");
    while (!existsSync(String(path)));
    console.log("idle");
  });
  await driver.tuples.open("here", {});
  console.log("ready");`;

/** A process that owns the spaces, or is ready to. */
async function ownerProcess(): Promise<ChildProcess> {
  const url = `${broker.url}?owner=prefer`;
  const args = ["--input-type=module", "-e", program, url];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  cleanups.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  await said(child, "ready");
  return child;
}

async function said(child: ChildProcess, word: string): Promise<void> {
  for (let text = ""; !text.includes(word); ) {
    const [chunk] = (await once(child.stdout!, "data")) as [Buffer];
    text += chunk.toString();
  }
}

/** Puts and takes from several sides until told to end; then says what was put, taken, and is unknown. */
function load(space: string, putting: Driver, taking: Driver): { readonly account: Account; end(): Promise<void> } {
  const account = { put: new Set<number>(), unknown: new Set<number>(), taken: [] as number[], unknownTakes: 0 };
  let going = true;
  let next = 0;
  const putters = Array.from({ length: 8 }, async () => {
    while (going) {
      const n = next++;
      try {
        await putting.tuples!.out(space, tuple(n), undefined, {});
        account.put.add(n);
      } catch (error) {
        expect(isBusError(error, "indefinite") || isBusError(error, "unavailable")).toBe(true);
        if (isBusError(error, "indefinite")) account.unknown.add(n);
      }
    }
  });
  const takers = Array.from({ length: 8 }, async () => {
    while (going) {
      try {
        const text = await taking.tuples!.takeNow(space, number);
        if (text !== undefined) account.taken.push(numberOf(text));
      } catch (error) {
        expect(isBusError(error, "indefinite") || isBusError(error, "unavailable")).toBe(true);
        if (isBusError(error, "indefinite")) account.unknownTakes++;
      }
    }
  });
  return {
    account,
    end: async () => {
      going = false;
      await Promise.all([...putters, ...takers]);
    },
  };
}

interface Account {
  readonly put: ReadonlySet<number>;
  readonly unknown: ReadonlySet<number>;
  readonly taken: readonly number[];
  readonly unknownTakes: number;
}

function numberOf(text: string): number {
  return Number(/\d+(?=\D*$)/.exec(text)![0]);
}

/** Put is taken plus what remains, each once; only what is unknown may or may not be there. */
async function balance(space: string, driver: Driver, { put, unknown, taken, unknownTakes }: Account): Promise<void> {
  const remaining = (await driver.tuples!.readAll(space, number)).map(numberOf);
  const all = [...taken, ...remaining];
  expect(new Set(all).size).toBe(all.length);
  const missing = [...put].filter((n) => !all.includes(n));
  expect(missing.length).toBeLessThanOrEqual(unknownTakes);
  expect(all.filter((n) => !put.has(n) && !unknown.has(n))).toEqual([]);
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + 40_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const [signal, what] of [
  ["SIGKILL", "killed"],
  ["SIGSTOP", "stopped"],
] as const) {
  test(`an owner that is ${what} under load is replaced: nothing is lost, nothing is taken twice`, async () => {
    const owner = await ownerProcess();
    const second = await ownerProcess();
    const [putting, taking, other] = [await client("never"), await client("never"), await client("never")];
    const waiting = other.tuples!.take("w", number, {});
    const reading = other.tuples!.read("w", number, {});
    const { account, end } = load("s", putting, taking);
    await until("some work", () => account.put.size > 300 && account.taken.length > 100);
    owner.kill(signal);
    const before = account.put.size;
    await until("work at the next owner", () => account.put.size > before + 300);
    if (signal === "SIGSTOP") owner.kill("SIGCONT");
    await until("work with the old one back", () => account.put.size > before + 600);
    await end();
    await balance("s", other, account);
    await putting.tuples!.out("w", tuple(7), undefined, {});
    expect(await Promise.all([waiting, reading])).toEqual([tuple(7), tuple(7)]);
    expect(second.exitCode).toBeNull();
  }, 120_000);
}

test("an owner that was stopped answers nothing when it goes on, and takes no part any more", async () => {
  const owner = await ownerProcess();
  const [one, other] = [await client("never"), await client("never")];
  await one.tuples!.out("s", tuple(1), undefined, {});
  owner.kill("SIGSTOP");
  const asked = Array.from({ length: 20 }, () => one.tuples!.takeNow("s", number));
  const second = await ownerProcess();
  const got = (await Promise.all(asked)).filter((text) => text !== undefined);
  expect(got).toEqual([tuple(1)]);
  owner.kill("SIGCONT");
  await other.tuples!.out("s", tuple(2), undefined, {});
  expect(await one.tuples!.takeNow("s", number)).toBe(tuple(2));
  expect(await other.tuples!.count("s", number)).toBe(0);
  expect(second.exitCode).toBeNull();
}, 120_000);

test("of two that stand for the seat at once one has it, and both are served", async () => {
  const [one, two] = await Promise.all([ownerProcess(), ownerProcess()]);
  const using = await client("never");
  await using.tuples!.out("s", tuple(1), undefined, {});
  expect(await using.tuples!.takeNow("s", number)).toBe(tuple(1));
  expect([one.exitCode, two.exitCode]).toEqual([null, null]);
}, 60_000);

test("a busy main thread of the owner's process holds up nobody", async () => {
  const owner = await ownerProcess();
  const using = await client("never");
  await using.tuples!.open("s", {});
  const folder = await mkdtemp(join(tmpdir(), "quadrant-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  const enough = join(folder, "enough");
  const busy = said(owner, "busy");
  owner.stdin!.write(enough);
  await busy;
  for (let n = 0; n < 20; n++) {
    await using.tuples!.out("s", tuple(n), undefined, {});
    expect(await using.tuples!.takeNow("s", number)).toBe(tuple(n));
  }
  const idle = said(owner, "idle");
  await writeFile(enough, "");
  await idle;
}, 60_000);

test("where no client may own the spaces, using them is unavailable and says so", async () => {
  const using = await client("never", { requestTimeoutMs: 500 });
  await expect(using.tuples!.open("s", {})).rejects.toMatchObject({ code: "unavailable", message: /owner=never/ });
  await expect(using.tuples!.take("s", number, {})).rejects.toMatchObject({ code: "unavailable" });
});

test("what an owner has not acknowledged before its server was killed is kept or indefinite, and claims go on", async () => {
  const owner = await ownerProcess();
  const using = await client("never");
  await using.tuples!.outMany("s", [tuple(1), tuple(2)], undefined);
  const claim = await using.tuples!.claim("s", number, 60_000, {});
  await broker.kill();
  await broker.restart();
  owner.kill("SIGKILL");
  await ownerProcess();
  expect(await using.tuples!.settleClaim("s", { kind: "nak", token: claim.token })).toBeUndefined();
  expect(await using.tuples!.readAll("s", number)).toEqual([tuple(1), tuple(2)]);
}, 60_000);

test("a tuple as large as the server's messages, and lists larger than them", async () => {
  const using = await client("allow");
  const large = encodeTuple(["t", "x".repeat(1_000_000)]);
  for (let n = 0; n < 3; n++) await using.tuples!.out("s", large, undefined, {});
  expect(await using.tuples!.readAll("s", encodeTemplate(["t", String]))).toEqual([large, large, large]);
}, 60_000);

test("an owner that leaves under load leaves no operation unknown: what it did not get, the next one gets", async () => {
  const first = await client("allow");
  await first.tuples!.open("s", {});
  const second = await ownerProcess();
  const [putting, taking] = [await client("never"), await client("never")];
  const { account, end } = load("s", putting, taking);
  await until("some work", () => account.put.size > 300);
  await first.close(0);
  const before = account.put.size;
  await until("work at the next owner", () => account.put.size > before + 300);
  await end();
  expect([account.unknown.size, account.unknownTakes]).toEqual([0, 0]);
  await balance("s", taking, account);
  expect(second.exitCode).toBeNull();
}, 120_000);

test("a goodbye of the owner hands the spaces over", async () => {
  const first = await client("allow");
  await first.tuples!.out("s", tuple(1), undefined, {});
  const second = await ownerProcess();
  await first.close(0);
  const using = await client("never");
  expect(await using.tuples!.takeNow("s", number)).toBe(tuple(1));
  expect(second.exitCode).toBeNull();
}, 60_000);
