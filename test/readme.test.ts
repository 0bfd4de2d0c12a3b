/** What the README says is so: its programs print what it shows on every driver, its table is what the drivers say, its links lead somewhere. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { type Hub, startHub } from "@quadrant/zeromq";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askDrivers, columnsOf, driverTable, tableOf } from "../.build/driver-table.ts";
import { examplesOf } from "./readme/examples.ts";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const examples = examplesOf(readme);

let hub: Hub;
let nats: StartedBroker;
let redis: StartedBroker;
beforeAll(async () => {
  hub = await startHub({ url: "zmq://127.0.0.1:0" });
  nats = await startBroker("nats");
  redis = await startBroker("redis");
});
afterAll(async () => {
  for (const each of [hub, nats, redis]) await each?.[Symbol.asyncDispose]();
});

const drivers: readonly (readonly [scheme: string, url: () => string])[] = [
  ["memory:", () => "memory:"],
  ["zmq:", () => hub.url],
  ["nats:", () => nats.url],
  ["redis:", () => redis.url],
];

/** Runs a program as a reader would, with the repository as the place its imports are found from. */
async function run(program: string, url: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ["--input-type=module-typescript"], {
    cwd: root,
    env: { ...process.env, QUADRANT_URL: url, NO_COLOR: "1" },
  });
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  child.stdin.end(program);
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

describe.each(drivers)("the README's examples on %s", (_scheme, url) => {
  it.each(examples)("$title", async ({ program, output }) => {
    expect(await run(program, url())).toEqual({ code: 0, stdout: output, stderr: "" });
  });
});

describe("the README", () => {
  it("has one example for each model, of about ten lines", () => {
    expect(examples.map(({ title }) => title)).toEqual(["publish/subscribe", "log", "mailbox", "space", "direct"]);
    for (const { program } of examples) expect(program.trim().split("\n").length).toBeLessThanOrEqual(13);
  });

  it("opens with two commands", () => {
    expect(/```sh\n([\s\S]*?)```/.exec(readme)?.[1]).toBe("npm ci && npm start\nnpm ci && npm test\n");
  });

  it("shows what the drivers say of themselves (npm run readme writes it anew)", async () => {
    const said = columnsOf(driverTable(await askDrivers()));
    const shown = columnsOf(tableOf(readme));
    expect([...said.values()].flat().join()).not.toContain("not said");
    // Of a server the table shows one version; here there may be another.
    const kindsOf = (columns: ReadonlyMap<string, unknown>): string[] =>
      [...columns.keys()].map((heading) => heading.replace(/ \d[\d.]*/, ""));
    expect(kindsOf(shown)).toEqual(kindsOf(said));
    for (const [heading, cells] of said) if (shown.has(heading)) expect(cells, heading).toEqual(shown.get(heading));
    expect([...said.keys()].filter((heading) => shown.has(heading)).length).toBeGreaterThanOrEqual(4);
  });

  it.each(["README.md", "CONTRIBUTING.md"])("%s links to what exists", (page) => {
    const links = [...readFileSync(join(root, page), "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
      ([, to]) => to!,
    );
    expect(links.filter((to) => !existsSync(join(root, to)))).toEqual([]);
  });
});
