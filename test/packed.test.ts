/** The packages as they would be published: packed, installed into a fresh folder, used from JavaScript and TypeScript. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { examplesOf } from "./readme/examples.ts";

const root = join(import.meta.dirname, "..");
const runFile = promisify(execFile);

let folder: string;
let tarballs: readonly string[];

/** Runs to the end in the fresh folder; rejects with what was printed when it fails. */
async function run(file: string, ...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, NO_COLOR: "1", QUADRANT_URL: "memory:" };
  try {
    return await runFile(file, args, { cwd: folder, env, maxBuffer: 16 << 20 });
  } catch (cause) {
    const { stdout, stderr } = cause as { stdout?: string; stderr?: string };
    throw new Error(`${file} ${args.join(" ")} failed:\n${stdout}\n${stderr}`, { cause });
  }
}

const typescript = join(root, "node_modules", "typescript", "bin", "tsc");
/** As strict as it gets, and the declarations of the packages are checked too. */
const tsconfig = {
  compilerOptions: {
    module: "nodenext",
    target: "es2024",
    lib: ["es2024", "esnext.disposable"],
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
  },
  include: ["*.ts"],
};

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "quadrant-packed-")));
  await run(process.execPath, join(root, ".build", "pack.ts"), folder);
  tarballs = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  const repository = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const manifest = {
    name: "somebodys-own",
    private: true,
    type: "module",
    dependencies: Object.fromEntries(tarballs.map((name) => [nameOf(name), `file:./${name}`])),
    devDependencies: { "@types/node": repository.devDependencies["@types/node"] },
    allowScripts: repository.allowScripts,
  };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  await run("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error");
}, 180_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** quadrant-bus-0.1.0.tgz is @quadrant/bus. */
function nameOf(tarball: string): string {
  return `@quadrant/${/^quadrant-(.+)-\d+\.\d+\.\d+/.exec(tarball)?.[1]}`;
}

/** Of the testkit all but the suite, which needs its peer, vitest, that is not installed here. */
function importable(): readonly string[] {
  const names = tarballs.map(nameOf).filter((name) => name !== "@quadrant/testkit");
  return [...names, "@quadrant/testkit/brokers", "@quadrant/testkit/faults"];
}

describe("the packed packages", () => {
  it("hold what was built from the sources, and no test", async () => {
    expect(tarballs.map(nameOf)).toContain("@quadrant/bus");
    for (const name of tarballs.map(nameOf)) {
      const files = await readdir(join(folder, "node_modules", name), { recursive: true });
      expect(files, name).toEqual(expect.arrayContaining(["LICENSE", "NOTICE", "README.md"]));
      const { exports } = JSON.parse(await readFile(join(folder, "node_modules", name, "package.json"), "utf8"));
      const targets = Object.values<string | Record<string, string>>(exports).flatMap((each) =>
        typeof each === "string" ? each : Object.values(each),
      );
      expect(files, name).toEqual(expect.arrayContaining(targets.map((target) => target.slice(2))));
      expect(
        files.filter((file) => /\.test\.|^src|\.ts$(?<!\.d\.ts)/.test(file)),
        name,
      ).toEqual([]);
    }
  });

  it("are imported by name from JavaScript, each with the names its index lists", async () => {
    const names = importable();
    const program = `for (const name of ${JSON.stringify(names)}) console.log(name, Object.keys(await import(name)).join());`;
    await writeFile(join(folder, "names.mjs"), program);
    const { stdout } = await run(process.execPath, "names.mjs");
    for (const name of names) {
      const source = await import(name);
      expect(stdout.split("\n")).toContain(`${name} ${Object.keys(source).sort().join()}`);
    }
  });

  it("run the README's programs, compiled against their declarations", async () => {
    const examples = examplesOf(await readFile(join(root, "README.md"), "utf8"));
    const fileOf = (title: string): string => `${title.replace("/", "-")}.ts`;
    for (const { title, program } of examples) await writeFile(join(folder, fileOf(title)), program);
    const imports = importable().map((name, at) => `export * as package${at} from ${JSON.stringify(name)};\n`);
    await writeFile(join(folder, "every-declaration.ts"), imports.join(""));
    await run(process.execPath, typescript, "-p", folder);
    for (const { title, output } of examples) {
      expect((await run(process.execPath, fileOf(title))).stdout, title).toBe(output);
    }
  });

  it("reach a hub over ZeroMQ from plain JavaScript", async () => {
    const program = `
      import { connect } from "@quadrant/bus";
      import { startHub } from "@quadrant/zeromq";
      const hub = await startHub();
      const bus = await connect(hub.url);
      const box = await bus.mailbox("box");
      await box.send({ hello: "world" });
      for await (const letter of await box.receive()) {
        console.log(letter.data.hello);
        await letter.ack();
        break;
      }
      await bus.close();
      await hub[Symbol.asyncDispose]();
    `;
    await writeFile(join(folder, "hub.mjs"), program);
    expect(await run(process.execPath, "hub.mjs")).toEqual({ stdout: "world\n", stderr: "" });
  });

  it("start a broker and injure the way to it", async () => {
    const program = `
      import { connect } from "@quadrant/bus";
      import { startBroker } from "@quadrant/testkit/brokers";
      import { faultProxy } from "@quadrant/testkit/faults";
      const broker = await startBroker("zeromq", { durable: true });
      const proxy = await faultProxy(broker.url);
      const bus = await connect(proxy.url);
      const box = await bus.mailbox("box");
      await box.send("kept");
      await broker.kill();
      await broker.restart();
      for await (const letter of await box.receive()) {
        console.log(letter.data);
        await letter.ack();
        break;
      }
      await bus.close();
      await proxy.close();
      await broker[Symbol.asyncDispose]();
    `;
    await writeFile(join(folder, "broker.mjs"), program);
    expect(await run(process.execPath, "broker.mjs")).toEqual({ stdout: "kept\n", stderr: "" });
  });

  it("serve the page, with nothing to be compiled", async () => {
    const program = `
      import { startDashboard } from "@quadrant/dashboard";
      const none = async () => [];
      const games = { open: none, matches: none, leaders: none, spectate: async function* () {} };
      const dashboard = await startDashboard({ games, jobs: { follow: async function* () {} } });
      const { headers } = await fetch(dashboard.url, { redirect: "manual" });
      const cookie = headers.get("set-cookie").split(";")[0];
      const get = async (path) => (await fetch(new URL(path, dashboard.url), { headers: { cookie } })).text();
      const seen = new Set();
      const visit = async (path) => {
        if (seen.has(path)) return;
        seen.add(path);
        const text = await get(path);
        for (const [, next] of text.matchAll(/(?:from |src=|href=)"([./][^"#]+)"/g)) await visit(new URL(next, "http://x" + path).pathname);
      };
      await visit("/");
      console.log([...seen].filter((path) => /main|style|nim/.test(path)).sort().join());
      await dashboard[Symbol.asyncDispose]();
    `;
    await writeFile(join(folder, "page.mjs"), program);
    expect(await run(process.execPath, "page.mjs")).toEqual({
      stdout: "/page/boards/nim.js,/page/main.js,/page/style.css\n",
      stderr: "",
    });
  });

  it("refuse to compile what the types forbid", async () => {
    const program = `
      import { connect } from "@quadrant/bus";
      const bus = await connect("memory:");
      const [, n] = await (await bus.space("s")).in(["n", Number]);
      // @ts-expect-error: n is a number
      n.toUpperCase();
      // @ts-expect-error: a function is no field
      await (await bus.space("s")).out(["f", () => 1]);
    `;
    await writeFile(join(folder, "types.ts"), program);
    await run(process.execPath, typescript, "-p", folder);
  });

  it("bring the command line", async () => {
    const { stdout } = await run(join("node_modules", ".bin", "quadrant"), "--version");
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    expect(stdout).toBe(`${version}\n`);
  });
});
