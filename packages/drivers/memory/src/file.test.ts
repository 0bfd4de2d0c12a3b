import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Driver, type DriverOptions, encodeTemplate, encodeTuple, type QueueLetter } from "@quadrant/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { open } from "./index.ts";

let folder: string;
const opened: Driver[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quadrant-file-"));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((driver) => driver.close(0)));
  rmSync(folder, { recursive: true, force: true });
});

const options: DriverOptions = {
  name: "test",
  timeoutMs: 300,
  requestTimeoutMs: 5_000,
  maxPayloadBytes: 1_000_000,
  outboxBytes: 1_000_000,
};

async function connect(query = ""): Promise<Driver> {
  const driver = await open(new URL(`${pathToFileURL(folder).href}${query}`), options);
  opened.push(driver);
  return driver;
}

function letter(id: string, bytes = 10): QueueLetter {
  return { id, dedupe: false, headers: { h: "ä" }, contentType: "text/plain", body: Buffer.alloc(bytes, id) };
}

async function fetchAll(driver: Driver, address: string): Promise<string[]> {
  const ids: string[] = [];
  while ((await driver.queues!.info(address)).waiting > 0) {
    const letters = await driver.queues!.fetch(address, { max: 100 });
    ids.push(...letters.map(({ id }) => id));
    await driver.queues!.settle(
      address,
      letters.map(({ token }) => ({ kind: "ack", token })),
    );
  }
  return ids;
}

describe("a folder", () => {
  test("keeps letters, dead letters, logs, durables and tuples from one connection to the next", async () => {
    const one = await connect();
    await one.queues!.open("q", { leaseMs: 7_000, maxAttempts: 1, capacity: 9 });
    await one.queues!.send("q", [letter("a"), letter("b")]);
    const [first] = await one.queues!.fetch("q", { max: 1 });
    await one.queues!.settle("q", [
      { kind: "reject", token: first!.token, failure: { code: "broken", message: "no" } },
    ]);
    const body = Buffer.from("x");
    await one.logs!.append("l", { subject: "s.1", headers: {}, contentType: "", body, id: "once" });
    await one.logs!.openDurable("l", { durable: "d", from: "first" });
    await one.tuples!.out("s", encodeTuple(["job", 1n]), undefined, {});
    await one.close(0);

    const two = await connect();
    expect(await two.list("mailbox")).toEqual(["q"]);
    await expect(two.queues!.open("q", { leaseMs: 1 })).rejects.toMatchObject({ code: "conflict" });
    expect(await two.queues!.open("q", { capacity: 9 })).toEqual({ leaseMs: 7_000 });
    const [dead] = await two.queues!.deadLetters("q", 10);
    expect(dead).toMatchObject({ id: "a", attempt: 1, failure: { code: "broken" }, headers: { h: "ä" } });
    const [left] = await two.queues!.fetch("q", { max: 9 });
    expect(left).toMatchObject({ id: "b", attempt: 1, contentType: "text/plain", subject: "q" });
    expect(Buffer.from(left!.body).toString()).toBe("bbbbbbbbbb");
    const again = await two.logs!.append("l", { subject: "s.1", headers: {}, contentType: "", body, id: "once" });
    expect(again).toEqual({ seq: 1, duplicate: true });
    const [entry] = await two.logs!.fetch("l", "d", { max: 5 });
    expect(entry).toMatchObject({ seq: 1, subject: "s.1" });
    expect(await two.tuples!.takeNow("s", encodeTemplate(["job", BigInt]))).toBe(encodeTuple(["job", 1n]));
  });

  test("is shared by the connections of this process, with one sync", async () => {
    const one = await connect();
    const two = await connect();
    await one.queues!.send("q", [letter("a")]);
    expect(await fetchAll(two, "q")).toEqual(["a"]);
    await expect(connect("?sync=off")).rejects.toMatchObject({ code: "conflict" });
    await one.close(0);
    await two.queues!.send("q", [letter("b")]);
    const closing = two.close(0);
    // Opened while it is being closed: after it.
    const three = await connect("?sync=off");
    await closing;
    expect(three.support.durability!.note).toContain("sync=off");
    expect(await fetchAll(three, "q")).toEqual(["b"]);
  });

  test("that another process holds is unavailable, and its pid is told", async () => {
    const holder = await holdFolder();
    await expect(connect()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(`process ${holder.pid}`),
    });
    // Killed: the operating system lets go of what it held.
    holder.kill("SIGKILL");
    await once(holder, "exit");
    expect(await fetchAll(await connect(), "q")).toEqual(["held"]);
  });

  test("keeps a program alive until it is closed, and not longer", async () => {
    const { code, said } = await run(`
      await driver.queues.send("q", [letter]);
      console.log("sent");
      await driver.close(0);
      console.log("closed");`);
    expect(said).toBe("sent\nclosed\n");
    expect(code).toBe(0);
    // Left open, it does not hold up the end of its program.
    expect((await run(`await driver.queues.send("q", [letter]);`)).code).toBe(0);
    expect(await fetchAll(await connect(), "q")).toEqual(["held", "held"]);
  });

  test("whose space settled messages have left is used again", async () => {
    const driver = await connect("?sync=off");
    const grow = async (): Promise<number> => {
      for (let round = 0; round < 20; round++) {
        await driver.queues!.send(
          "q",
          Array.from({ length: 100 }, (_, i) => letter(`${round}-${i}`, 4_000)),
        );
        await fetchAll(driver, "q");
      }
      return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    };
    // The files of the journal's tail grow to what they are going to be.
    for (let round = 0; round < 2; round++) await grow();
    const first = await grow();
    expect(await grow()).toBeLessThan(first * 1.5 + 1_000_000);
  });
});

describe("a damaged file", () => {
  async function fill(): Promise<string> {
    const driver = await connect();
    await driver.queues!.send(
      "q",
      Array.from({ length: 200 }, (_, i) => letter(`letter-${i}`, 500)),
    );
    await driver.close(0);
    return join(folder, "journal.db");
  }

  test("is refused, with what to do, wherever it was hit", async () => {
    const path = await fill();
    const good = readFileSync(path);
    const bodies = [10, 57, 199].map((n) => good.indexOf(`letter-${n}letter-${n}`) + n);
    // The file's own head, the heads of two of its pages, and what is in its rows.
    for (const at of [0, 3, ...bodies.slice(1).map((body) => body - (body % 4_096)), ...bodies]) {
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(at) ^ 0x55, at);
      writeFileSync(path, bad);
      await expect(connect(), `byte ${at}`).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(/damaged.*copy/is),
      });
      expect(readFileSync(path).equals(bad), "it was not touched").toBe(true);
    }
    writeFileSync(path, good);
    expect(await fetchAll(await connect(), "q")).toHaveLength(200);
  });

  test("of another program, or of a later release, is left alone", async () => {
    const path = await fill();
    const file = openSync(path, "r+");
    writeSync(file, Buffer.from([0, 0, 0, 99]), 0, 4, 60);
    await expect(connect()).rejects.toMatchObject({ code: "unsupported", message: expect.stringContaining("later") });
    writeSync(file, Buffer.from("none"), 0, 4, 68);
    await expect(connect()).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("another") });
  });

  test("a folder that is a file, or may not be made, says so", async () => {
    writeFileSync(join(folder, "file"), "");
    const url = new URL(`${pathToFileURL(folder).href}/file/data`);
    await expect(open(url, options)).rejects.toMatchObject({ code: "unavailable" });
    await expect(open(new URL("file:///proc/quadrant"), options)).rejects.toMatchObject({
      code: expect.stringMatching(/denied|unavailable/),
    });
  });
});

/** A program that has the folder open as `driver`, and a `letter`. */
function start(body: string): ChildProcess {
  const program = `
    const { open } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url).href)});
    const driver = await open(new URL(${JSON.stringify(pathToFileURL(folder).href)}), ${JSON.stringify(options)});
    const letter = { id: "held", dedupe: false, headers: {}, contentType: "", body: new Uint8Array(1) };
    ${body}`;
  return spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
}

async function run(body: string): Promise<{ readonly code: unknown; readonly said: string }> {
  const child = start(body);
  let said = "";
  child.stdout!.on("data", (text: Buffer) => {
    said += text.toString();
  });
  const [code] = await once(child, "close");
  return { code, said };
}

/** A process that has sent a letter to the folder and stays there. */
async function holdFolder(): Promise<ChildProcess> {
  const child = start(`
    await driver.queues.send("q", [letter]);
    console.log("held");
    setInterval(() => {}, 1000);`);
  await once(child.stdout!, "data");
  return child;
}
