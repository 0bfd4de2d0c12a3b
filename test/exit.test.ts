import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { afterEach, beforeEach, expect, test } from "vitest";

const program = fileURLToPath(new URL("./whole-client.ts", import.meta.url));

let hub: StartedBroker;
const children: ChildProcess[] = [];
beforeEach(async () => {
  hub = await startBroker("zeromq");
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await hub[Symbol.asyncDispose]();
});

/** Starts the program; `ended` resolves with its exit code, when it ends by itself, and with all that it complained of. */
function start(...args: string[]): {
  child: ChildProcess;
  ended: Promise<{ code: number | null; complaints: string }>;
} {
  const child = fork(program, args, { execPath: process.execPath, execArgv: [], silent: true });
  children.push(child);
  let complaints = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    complaints += chunk;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, complaints }));
  return { child, ended };
}

const clean = { code: 0, complaints: "" };

test("a program that closed its bus ends by itself", async () => {
  expect(await start("memory:").ended).toEqual(clean);
  expect(await start(hub.url).ended).toEqual(clean);
});

test("so does one whose hub has died", async () => {
  const { child, ended } = start(hub.url, "wait");
  await once(child, "message");
  await hub.kill();
  child.send("close");
  expect(await ended).toEqual(clean);
});

test("so does one whose hub stands still", async () => {
  const { child, ended } = start(hub.url, "wait");
  await once(child, "message");
  await hub.pause();
  child.send("close");
  expect(await ended).toEqual(clean);
});
